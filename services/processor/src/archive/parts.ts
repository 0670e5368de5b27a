import type { ArchiveEntry } from "./archive-entry.ts";
import { crcField, isDeferred, type Layout, type Place } from "./layout.ts";

/** The part, 1 for the first, that holds the byte at an offset. */
export const partAt = (offset: number, partSize: number): number => Math.floor(offset / partSize) + 1;

/** Where a part begins: an offset in the archive. */
export const partStart = (number: number, partSize: number): number => (number - 1) * partSize;

/** Size of a part in bytes; only the last one is smaller than `partSize`. */
export function partBytes({ sizeBytes }: Layout, number: number, partSize: number): number {
  return Math.max(0, Math.min(partSize, sizeBytes - partStart(number, partSize)));
}

/** Index of the first entry that ends after the offset; as many as there are entries when none does. */
export function entryAfter({ places }: Pick<Layout, "places">, offset: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((places[middle] as Place).endOffset > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The entries whose CRC stands in a part although their sources told none: it was found when their bytes were read. In
 * their order; an entry whose field lies across a boundary is in both parts.
 */
export function entriesFoundOut({ entries, places }: Layout, number: number, partSize: number): number[] {
  const found: number[] = [];
  const start = partStart(number, partSize);
  for (let index = entryAfter({ places }, start); index < entries.length; index += 1) {
    const place = places[index] as Place;
    const field = crcField(place);
    if (field.start >= start + partSize) break;
    if (field.end > start && isDeferred(entries[index] as ArchiveEntry, place)) found.push(index);
  }
  return found;
}
