import type { ArchiveEntry } from "./archive-entry.ts";
import {
  centralEntryLength,
  endRecordsLength,
  LOCAL_CRC_LENGTH,
  LOCAL_CRC_OFFSET,
  localHeaderLength,
  NAME_MAX_BYTES,
} from "./zip-bytes.ts";

/** Where an entry lies in the archive: offsets in bytes from its begin; `endOffset` is the first byte after its data. */
export type Place = { headerOffset: number; dataOffset: number; endOffset: number };

/** Where everything lies in an archive whose first byte is still to be written. */
export type Layout = {
  entries: readonly ArchiveEntry[];
  /** One for each entry, in the same order. */
  places: readonly Place[];
  directoryOffset: number;
  directorySizeBytes: number;
  /** Size of the whole archive. */
  sizeBytes: number;
};

/**
 * Computes where everything lies in the archive of these entries, in this order: entries, central directory, end.
 * @throws RangeError when a name or a size is one that no archive can hold: a mistake of the caller
 */
export function layout(entries: readonly ArchiveEntry[]): Layout {
  const places: Place[] = [];
  let offset = 0;
  let directorySizeBytes = 0;
  for (const entry of entries) {
    assertEntry(entry);
    const dataOffset = offset + localHeaderLength(entry);
    const endOffset = dataOffset + entry.sizeBytes;
    places.push({ headerOffset: offset, dataOffset, endOffset });
    directorySizeBytes += centralEntryLength(entry, offset);
    offset = endOffset;
  }
  const directory = { entries: entries.length, offset, sizeBytes: directorySizeBytes };
  const sizeBytes = offset + directorySizeBytes + endRecordsLength(directory);
  if (!Number.isSafeInteger(sizeBytes)) throw new RangeError("the archive is larger than a number can say");
  return { entries, places, directoryOffset: offset, directorySizeBytes, sizeBytes };
}

/** Where the bytes of one file lie in a result that is the file itself: it has no header and no directory. */
export function plainLayout(file: ArchiveEntry): Layout {
  assertEntry(file);
  const { sizeBytes } = file;
  const place = { headerOffset: 0, dataOffset: 0, endOffset: sizeBytes };
  return { entries: [file], places: [place], directoryOffset: sizeBytes, directorySizeBytes: 0, sizeBytes };
}

/** Whether a header stands before the data of an entry. */
export const hasHeader = ({ headerOffset, dataOffset }: Place): boolean => dataOffset > headerOffset;

/** The bytes of an archive that hold an entry's CRC: from `start` up to, but without, `end`. */
export function crcField(place: Place): { start: number; end: number } {
  const start = place.headerOffset + LOCAL_CRC_OFFSET;
  return { start, end: start + LOCAL_CRC_LENGTH };
}

/** Whether the local header of the entry can be finished only when its bytes have been read. */
export function isDeferred(entry: ArchiveEntry, place: Place): boolean {
  return entry.crc32 === null && entry.render === undefined && hasHeader(place);
}

function assertEntry({ name, sizeBytes }: ArchiveEntry): void {
  const nameBytes = Buffer.byteLength(name);
  if (nameBytes === 0 || nameBytes > NAME_MAX_BYTES) throw new RangeError(`an entry's name has ${nameBytes} bytes`);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new RangeError(`an entry has a size of ${sizeBytes}`);
}
