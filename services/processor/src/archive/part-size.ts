import { crcField, isDeferred, type Layout } from "./layout.ts";

const MIB = 1024 * 1024;
/** S3 takes no smaller part, but for the last; an archive up to this size is one object, put in one request. */
export const PART_MIN_BYTES = 5 * MIB;
export const PART_MAX_BYTES = 64 * MIB;
/** S3 takes 10,000 parts; the rest is room for parts that are cut otherwise. */
const PARTS_AIMED_AT = 9000;
/** The largest archive: 562.5 GiB. */
export const ARCHIVE_MAX_BYTES = PARTS_AIMED_AT * PART_MAX_BYTES;

/**
 * Size in bytes of all parts but the last, at least `minPartBytes`.
 * @throws RangeError for an archive above `ARCHIVE_MAX_BYTES`
 */
export function partSizeFor(archiveBytes: number, minPartBytes: number = PART_MIN_BYTES): number {
  if (archiveBytes > ARCHIVE_MAX_BYTES) throw new RangeError(`an archive of ${archiveBytes} bytes is too large`);
  return Math.max(minPartBytes, Math.ceil(archiveBytes / PARTS_AIMED_AT));
}

/**
 * How many part buffers an archive needs at least: one that fills, and those that wait for a CRC which is known only
 * parts later (two when the four bytes of the CRC lie across a boundary). 1, 2 or 3.
 */
export function minimumBuffers({ entries, places }: Layout, partSize: number): number {
  let held = 0;
  for (const [i, entry] of entries.entries()) {
    const place = places[i];
    if (place === undefined || !isDeferred(entry, place)) continue;
    const { start, end } = crcField(place);
    const first = Math.floor(start / partSize);
    const last = Math.floor((end - 1) / partSize);
    const finished = Math.floor((place.endOffset - 1) / partSize);
    held = Math.max(held, Math.min(last, finished - 1) - first + 1);
  }
  return held + 1;
}

/**
 * How many part buffers an archive takes when it can have `mostBytes` of memory: one more than uploads run at a time,
 * so that one fills meanwhile, but no more than it has parts. 0 when the memory is not enough to write it at all.
 */
export function buffersFor(
  layout: Layout,
  partSize: number,
  concurrency: number,
  mostBytes: number = Number.POSITIVE_INFINITY,
): number {
  const least = minimumBuffers(layout, partSize);
  const affordable = Math.floor(mostBytes / partSize);
  if (affordable < least) return 0;
  return Math.max(least, Math.min(concurrency + 1, Math.ceil(layout.sizeBytes / partSize), affordable));
}
