import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ArchiveEntry } from "../archive-entry.ts";
import { crc32Hex } from "../crc32.ts";
import type { EntryReader } from "../ports.ts";

/** A source whose bytes can be made again at any time, so that no size of it needs memory. */
export type TestSource = { name: string; sizeBytes: number; seed: number };

/** The period of the bytes; a prime, so that they differ from part to part and from piece to piece. */
const PERIOD = 65_521;
const PATTERN = pattern();

/** Pseudo-random bytes, always the same, twice in a row: any `PERIOD` of them are one piece of memory. */
function pattern(): Buffer {
  const bytes = Buffer.alloc(PERIOD);
  // xorshift32 (Marsaglia 2003).
  let x = 2_463_534_242;
  for (let i = 0; i < PERIOD; i += 1) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return Buffer.concat([bytes, bytes]);
}

/** The bytes of a source from `begin` on, in pieces of at most `pieceBytes`, which is at most `PERIOD`. */
export function* piecesOf({ sizeBytes, seed }: TestSource, pieceBytes = PERIOD, begin = 0): Generator<Uint8Array> {
  for (let offset = begin; offset < sizeBytes; offset += pieceBytes) {
    const from = (seed * 4099 + offset) % PERIOD;
    yield PATTERN.subarray(from, from + Math.min(pieceBytes, sizeBytes - offset));
  }
}

export function sha256Of(source: TestSource): string {
  const hash = createHash("sha256");
  for (const piece of piecesOf(source)) hash.update(piece);
  return hash.digest("hex");
}

/** The plan for a source; `known` says whether its CRC is told in advance. */
export function entryOf(source: TestSource, known: boolean): ArchiveEntry {
  let crc = 0;
  if (known) for (const piece of piecesOf(source)) crc = crc32(piece, crc);
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    crc32: known ? crc32Hex(crc) : null,
    modifiedAt: Date.UTC(2026, 0, 2, 3, 4, 6) + source.seed * 86_400_000,
  };
}

/** Reads the sources, which must be in the order of the entries, a new copy of each piece as a socket would give. */
export function readerOf(sources: readonly TestSource[], pieceBytes?: number): EntryReader {
  return {
    async *open(_entry, index, offset) {
      const source = sources[index];
      if (source !== undefined) for (const piece of piecesOf(source, pieceBytes, offset)) yield Buffer.from(piece);
    },
  };
}
