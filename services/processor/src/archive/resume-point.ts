import type { ArchiveEntry } from "./archive-entry.ts";
import { crcField, isDeferred, type Layout } from "./layout.ts";
import { entriesFoundOut, entryAfter, partAt, partStart } from "./parts.ts";

/** A part that is stored, and what has to be known of it to write on after it. CRCs are eight hex digits. */
export type StandingPart = {
  /** 1 for the first. */
  number: number;
  crc32: string;
  /** CRC of the entry in which the part ends, of its bytes up to there. */
  crcSoFar: string;
  /** CRCs that stand in the part although their sources told none (`entriesFoundOut`). */
  foundCrc32s: readonly string[];
};

/** Where an archive of which some parts stand is to be written on. Offsets are in the archive. */
export type ResumePoint = {
  /** The first byte to write. */
  offset: number;
  /** CRC of the entry at `offset`, of its bytes before it. */
  crcSoFar: string;
  /**
   * A stretch that stands already behind a part which was held back until its entry ends: once `offset` comes to `from`
   * it goes on at `to`, and `crcSoFar` is the CRC of the entry up to there.
   */
  jump: { from: number; to: number; crcSoFar: string } | null;
  /** The parts that are not made again, in the order of their numbers. */
  standing: readonly StandingPart[];
  /** CRC by index of each entry that was found out when its bytes were read. */
  foundCrc32s: ReadonlyMap<number, string>;
};

const NO_CRC = "00000000";

/** Where a new archive begins. */
export const FROM_THE_START: ResumePoint = {
  offset: 0,
  crcSoFar: NO_CRC,
  jump: null,
  standing: [],
  foundCrc32s: new Map(),
};

/**
 * Where to go on when these parts stand, all of size `partSize` but the archive's last. Every part before the first one
 * that is missing is kept. When that one was only held back for the CRC of an entry, also the parts after it that hold
 * nothing but bytes of that entry.
 * @param parts in any order, each number once
 */
export function resumePoint(layout: Layout, partSize: number, parts: readonly StandingPart[]): ResumePoint {
  const byNumber = new Map(parts.map((part) => [part.number, part]));
  const standing: StandingPart[] = [];
  const takeWhile = (first: number, lastEnd: number) => {
    let number = first;
    for (let part = byNumber.get(number); part && partStart(number, partSize) < lastEnd; part = byNumber.get(++number))
      standing.push(part);
    return number;
  };
  const missing = takeWhile(1, layout.sizeBytes);
  const offset = Math.min(partStart(missing, partSize), layout.sizeBytes);
  const crcSoFar = standing.at(-1)?.crcSoFar ?? NO_CRC;
  const foundCrc32s = found(layout, partSize, standing);

  const held = heldParts(layout, partSize, missing, foundCrc32s);
  if (held === null || held.parts.some((number) => byNumber.has(number))) {
    return { offset, crcSoFar, jump: null, standing, foundCrc32s };
  }
  const from = held.endOffset;
  // A part that holds the end of the entry may hold more than that.
  const wholeEnd = partStart(partAt(held.entryEndOffset, partSize), partSize);
  const to = Math.min(partStart(takeWhile(partAt(from, partSize), wholeEnd), partSize), layout.sizeBytes);
  const jump = to > from ? { from, to, crcSoFar: standing.at(-1)?.crcSoFar ?? NO_CRC } : null;
  return { offset, crcSoFar, jump, standing, foundCrc32s };
}

/**
 * Where the next byte goes, as a checkpoint says it: the entry, how far its bytes have come, and their CRC so far. After
 * the last entry `offset` counts in the directory.
 */
export function cursorOf(layout: Layout, point: ResumePoint): { entry: number; offset: number; crc: string } {
  const { offset, crcSoFar } = point.jump === null ? point : { ...point.jump, offset: point.jump.to };
  const entry = entryAfter(layout, offset);
  const begin = layout.places[entry]?.dataOffset ?? layout.directoryOffset;
  return {
    entry,
    offset: Math.max(0, offset - begin),
    crc: offset > begin && entry < layout.entries.length ? crcSoFar : NO_CRC,
  };
}

function found(layout: Layout, partSize: number, parts: readonly StandingPart[]): Map<number, string> {
  const crc32s = new Map<number, string>();
  for (const { number, foundCrc32s } of parts) {
    for (const [i, index] of entriesFoundOut(layout, number, partSize).entries()) {
      const crc32 = foundCrc32s[i];
      if (crc32 !== undefined) crc32s.set(index, crc32);
    }
  }
  return crc32s;
}

type Held = { parts: number[]; endOffset: number; entryEndOffset: number };

/** The part `number` and the next, if they are held back for an entry whose bytes go on behind them. */
function heldParts(layout: Layout, partSize: number, number: number, known: ReadonlyMap<number, string>): Held | null {
  // Of the entries that begin in the part only the last can go on behind it.
  const index = entryAfter(layout, partStart(number + 1, partSize) - 1);
  const place = layout.places[index];
  if (place === undefined || known.has(index) || !isDeferred(layout.entries[index] as ArchiveEntry, place)) return null;
  const { start, end } = crcField(place);
  if (partAt(start, partSize) !== number) return null;
  const last = partAt(end - 1, partSize);
  const endOffset = partStart(last + 1, partSize);
  // Where the header goes on behind them they are not worth a case of their own: it has a few bytes of a part.
  if (endOffset <= place.dataOffset || endOffset >= place.endOffset) return null;
  const parts = last === number ? [number] : [number, last];
  return { parts, endOffset, entryEndOffset: place.endOffset };
}
