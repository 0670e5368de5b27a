import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scaled } from "../../../../tests/support/scale.ts";
import type { ArchiveEntry } from "./archive-entry.ts";
import { layout } from "./layout.ts";
import { partSizeFor } from "./part-size.ts";
import type { EntryReader } from "./ports.ts";
import { writeArchive } from "./stream.ts";
import { FileSink } from "./testing/file-sink.ts";
import { checkWith, isInstalled, listWith, ZIP_TOOLS } from "./testing/zip-tools.ts";

const GIB = 2 ** 30;
const ZEROS = Buffer.alloc(1024 * 1024);
const TIMEOUT_MS = 15 * 60_000;
/** 8 GiB, nothing of which lies on the disk: the sources are zeros, and the file is sparse. */
const SIZES = [4 * GIB - 1, 4 * GIB + 1, 10];
const full = scaled({ short: false, full: true });

let folder: string;
let path: string;

beforeAll(async () => {
  if (!full) return;
  folder = await mkdtemp(join(tmpdir(), "longhaul-archive-size-"));
  path = join(folder, "large.zip");
  const plan = layout(SIZES.map(entryOfZeros));
  const partSize = partSizeFor(plan.sizeBytes);
  const sink = await FileSink.create(path, partSize, plan.sizeBytes);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  await writeArchive(plan, { reader: zeros, sink, partSize, concurrency: 2, signal });
  await sink.close();
}, TIMEOUT_MS);

afterAll(async () => {
  if (full) await rm(folder, { recursive: true, force: true });
});

const entryOfZeros = (sizeBytes: number): ArchiveEntry => ({
  name: `${sizeBytes} zeros`,
  sizeBytes,
  crc32: null,
  modifiedAt: 0,
});

function* piecesOfZeros(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

const zeros: EntryReader = {
  async *open({ sizeBytes }) {
    yield* piecesOfZeros(sizeBytes);
  },
};

function lineOf(sizeBytes: number): string {
  const hash = createHash("sha256");
  for (const piece of piecesOfZeros(sizeBytes)) hash.update(piece);
  return `${sizeBytes} zeros\t${sizeBytes}\t${hash.digest("hex")}`;
}

describe.each(ZIP_TOOLS)("$name", (tool) => {
  test("accepts entries around 4 GiB, and offsets beyond it", { timeout: 2 * TIMEOUT_MS }, async ({ skip }) => {
    skip(!full, "8 GiB are read in the full form only");
    skip(!(await isInstalled(tool)), `${tool.command} is not installed`);
    if (tool.list === undefined) return checkWith(tool, path, TIMEOUT_MS);
    const found = await listWith(tool, [path], TIMEOUT_MS);
    expect(found.get(path)).toEqual(SIZES.map(lineOf));
  });
});
