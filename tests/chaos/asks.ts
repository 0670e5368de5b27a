import type { Prng } from "../sim/kernel/prng.ts";

/** Sample files that stay as they are: `files` ids from `firstId` on, each of this size. */
export type Shelf = { firstId: number; files: number; sizeBytes: number };

export const SMALL: Shelf = { firstId: 70_000, files: 20, sizeBytes: 20_000 };
/** Three of them are seven parts of an upload, some of which the store copies. */
export const LARGE: Shelf = { firstId: 80_000, files: 6, sizeBytes: 12_000_000 };
/** Files that are replaced by others of another size now and then. */
export const MOVING: Shelf = { firstId: 90_000, files: 3, sizeBytes: 6_000_000 };
const FIRST_MISSING_ID = 60_000;

export const ASKS = [
  "one file",
  "small archive",
  "large archive",
  "moving files",
  "with a missing file",
  "nothing there",
] as const;
export type AskKind = (typeof ASKS)[number];

/** What a user asks for. `expected`: how a generation ends that nobody stops, whatever breaks meanwhile. */
export type Ask = { kind: AskKind; fileIds: number[]; expected: "completed" | "partial" | "failed" };

const WEIGHTS: readonly AskKind[] = [
  ...(["one file", "one file", "one file", "small archive", "small archive"] as const),
  ...([
    "large archive",
    "large archive",
    "large archive",
    "moving files",
    "with a missing file",
    "nothing there",
  ] as const),
];

export function drawAsk(prng: Prng): Ask {
  const kind = prng.pick(WEIGHTS);
  switch (kind) {
    case "one file":
      return { kind, fileIds: idsOf(SMALL, 1, prng), expected: "completed" };
    case "small archive":
      return { kind, fileIds: idsOf(SMALL, prng.int(2, 4), prng), expected: "completed" };
    case "large archive":
      return { kind, fileIds: idsOf(LARGE, 3, prng), expected: "completed" };
    case "moving files":
      return { kind, fileIds: idsOf(MOVING, MOVING.files, prng), expected: "completed" };
    case "with a missing file":
      return { kind, fileIds: [...idsOf(SMALL, 2, prng), missingId(prng)], expected: "partial" };
    case "nothing there":
      return { kind, fileIds: [missingId(prng), FIRST_MISSING_ID], expected: "failed" };
  }
}

function idsOf({ firstId, files }: Shelf, count: number, prng: Prng): number[] {
  const first = prng.int(0, files - 1);
  return Array.from({ length: count }, (_, i) => firstId + ((first + i) % files));
}

const missingId = (prng: Prng) => FIRST_MISSING_ID + prng.int(1, 99);
