/**
 * The records of a ZIP file, as bytes. Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10, "ZIP File Format
 * Specification". Entries are stored (4.4.5, method 0), so that every size is known before the first byte; sizes and
 * CRC stand in the local header and no data descriptor (4.3.9) follows, because readers of a stream cannot find the end
 * of a stored entry that has one. ZIP64 fields (4.5.3) are there only where a value needs them, which older readers
 * understand best.
 */

/** What a header says of an entry. `name` has its final form; `modifiedAt` in milliseconds since 1970, UTC. */
export type HeaderFields = { name: string; sizeBytes: number; crc32: number; modifiedAt: number };

/** Where the entries end and the central directory is; sizes and offsets in bytes. */
export type DirectoryFields = { entries: number; offset: number; sizeBytes: number };

/** Offset of the CRC-32 in a local header (4.3.7), and its length. */
export const LOCAL_CRC_OFFSET = 14;
export const LOCAL_CRC_LENGTH = 4;
/** The longest name that a header has room for (4.4.10: two bytes of length). */
export const NAME_MAX_BYTES = 0xffff;

const LOCAL_HEADER_LENGTH = 30;
const LOCAL_ZIP64_LENGTH = 20;
const CENTRAL_ENTRY_LENGTH = 46;
const ZIP64_END_LENGTH = 56;
const ZIP64_LOCATOR_LENGTH = 20;
const END_LENGTH = 22;

// 4.4.1.4: a field that is too small for its value is filled with ones, and the value stands in the ZIP64 record; so a
// value of all ones has to move there as well.
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
const exceeds32 = (value: number): boolean => value >= MAX_32;
const capped32 = (value: number): number => Math.min(value, MAX_32);
const capped16 = (value: number): number => Math.min(value, MAX_16);

/** 4.4.2: written by version 6.3 of the specification (the one with UTF-8 names), on Unix (3). */
const MADE_BY = (3 << 8) | 63;
/** 4.4.3.2: 1.0 reads stored entries, 4.5 reads ZIP64. */
const NEEDS_STORED = 10;
const NEEDS_ZIP64 = 45;
/** 4.4.4, bit 11: the name is UTF-8. */
const FLAG_UTF8 = 1 << 11;
const METHOD_STORED = 0;
/** 4.5.3: header id of the ZIP64 extended information. */
const ZIP64_EXTRA_ID = 0x0001;
/** 4.4.15 with 4.4.2 = Unix: the mode in the upper 16 bits; a regular file that its owner may write. */
const EXTERNAL_ATTRIBUTES = 0o100644 * 2 ** 16;

/** Length in bytes of `localHeader`. */
export function localHeaderLength({ name, sizeBytes }: { name: string; sizeBytes: number }): number {
  return LOCAL_HEADER_LENGTH + Buffer.byteLength(name) + (exceeds32(sizeBytes) ? LOCAL_ZIP64_LENGTH : 0);
}

/** 4.3.7 Local file header. */
export function localHeader(entry: HeaderFields): Buffer {
  const zip64 = exceeds32(entry.sizeBytes);
  const name = Buffer.from(entry.name);
  const bytes = Buffer.alloc(localHeaderLength(entry));
  bytes.writeUInt32LE(0x04034b50, 0);
  writeCommonFields(bytes, 4, entry, zip64);
  bytes.writeUInt16LE(name.length, 26);
  bytes.writeUInt16LE(zip64 ? LOCAL_ZIP64_LENGTH : 0, 28);
  name.copy(bytes, LOCAL_HEADER_LENGTH);
  // 4.5.3: in a local header both sizes must be there.
  if (zip64) writeZip64Extra(bytes, LOCAL_HEADER_LENGTH + name.length, [entry.sizeBytes, entry.sizeBytes]);
  return bytes;
}

/** Length in bytes of `centralEntry`. */
export function centralEntryLength(entry: { name: string; sizeBytes: number }, headerOffset: number): number {
  const wide = centralZip64Values(entry.sizeBytes, headerOffset).length;
  return CENTRAL_ENTRY_LENGTH + Buffer.byteLength(entry.name) + (wide > 0 ? 4 + 8 * wide : 0);
}

/** 4.3.12 Central directory structure: the header of one entry, whose local header is at `headerOffset`. */
export function centralEntry(entry: HeaderFields, headerOffset: number): Buffer {
  const wide = centralZip64Values(entry.sizeBytes, headerOffset);
  const name = Buffer.from(entry.name);
  const bytes = Buffer.alloc(centralEntryLength(entry, headerOffset));
  bytes.writeUInt32LE(0x02014b50, 0);
  bytes.writeUInt16LE(MADE_BY, 4);
  writeCommonFields(bytes, 6, entry, wide.length > 0);
  bytes.writeUInt16LE(name.length, 28);
  bytes.writeUInt16LE(wide.length > 0 ? 4 + 8 * wide.length : 0, 30);
  // Bytes 32 to 37, comment length, disk number and internal attributes (4.4.12 to 4.4.14), stay 0.
  bytes.writeUInt32LE(EXTERNAL_ATTRIBUTES, 38);
  bytes.writeUInt32LE(capped32(headerOffset), 42);
  name.copy(bytes, CENTRAL_ENTRY_LENGTH);
  if (wide.length > 0) writeZip64Extra(bytes, CENTRAL_ENTRY_LENGTH + name.length, wide);
  return bytes;
}

/** Length in bytes of `endRecords`. */
export function endRecordsLength(directory: DirectoryFields): number {
  return (needsZip64End(directory) ? ZIP64_END_LENGTH + ZIP64_LOCATOR_LENGTH : 0) + END_LENGTH;
}

/** 4.3.14 to 4.3.16: the ZIP64 end record and its locator where a value needs them, and the end record. */
export function endRecords(directory: DirectoryFields): Buffer {
  const { entries, offset, sizeBytes } = directory;
  const bytes = Buffer.alloc(endRecordsLength(directory));
  const end = bytes.length - END_LENGTH;
  if (needsZip64End(directory)) writeZip64End(bytes, directory);
  bytes.writeUInt32LE(0x06054b50, end);
  bytes.writeUInt16LE(capped16(entries), end + 8);
  bytes.writeUInt16LE(capped16(entries), end + 10);
  bytes.writeUInt32LE(capped32(sizeBytes), end + 12);
  bytes.writeUInt32LE(capped32(offset), end + 16);
  return bytes;
}

/** The fields that both headers share, in the same order: version needed to uncompressed size. */
function writeCommonFields(bytes: Buffer, at: number, entry: HeaderFields, zip64: boolean): void {
  const { date, time } = dosDateTime(entry.modifiedAt);
  bytes.writeUInt16LE(zip64 ? NEEDS_ZIP64 : NEEDS_STORED, at);
  bytes.writeUInt16LE(FLAG_UTF8, at + 2);
  bytes.writeUInt16LE(METHOD_STORED, at + 4);
  bytes.writeUInt16LE(time, at + 6);
  bytes.writeUInt16LE(date, at + 8);
  bytes.writeUInt32LE(entry.crc32, at + 10);
  bytes.writeUInt32LE(capped32(entry.sizeBytes), at + 14);
  bytes.writeUInt32LE(capped32(entry.sizeBytes), at + 18);
}

/** 4.5.3: in the central directory only the values whose own field is too small, in this order. */
function centralZip64Values(sizeBytes: number, headerOffset: number): number[] {
  return [...(exceeds32(sizeBytes) ? [sizeBytes, sizeBytes] : []), ...(exceeds32(headerOffset) ? [headerOffset] : [])];
}

function writeZip64Extra(bytes: Buffer, at: number, values: number[]): void {
  bytes.writeUInt16LE(ZIP64_EXTRA_ID, at);
  bytes.writeUInt16LE(8 * values.length, at + 2);
  for (const [i, value] of values.entries()) write64(bytes, value, at + 4 + 8 * i);
}

function needsZip64End({ entries, offset, sizeBytes }: DirectoryFields): boolean {
  return entries >= MAX_16 || exceeds32(offset) || exceeds32(sizeBytes);
}

/** 4.3.14 Zip64 end of central directory record, 4.3.15 its locator. */
function writeZip64End(bytes: Buffer, { entries, offset, sizeBytes }: DirectoryFields): void {
  bytes.writeUInt32LE(0x06064b50, 0);
  // 4.3.14.1: without the signature and this field.
  write64(bytes, ZIP64_END_LENGTH - 12, 4);
  bytes.writeUInt16LE(MADE_BY, 12);
  bytes.writeUInt16LE(NEEDS_ZIP64, 14);
  write64(bytes, entries, 24);
  write64(bytes, entries, 32);
  write64(bytes, sizeBytes, 40);
  write64(bytes, offset, 48);
  bytes.writeUInt32LE(0x07064b50, ZIP64_END_LENGTH);
  write64(bytes, offset + sizeBytes, ZIP64_END_LENGTH + 8);
  bytes.writeUInt32LE(1, ZIP64_END_LENGTH + 16);
}

function write64(bytes: Buffer, value: number, at: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at);
}

/** What the two fields of 4.4.6 can hold: 1980 to 2107, in steps of two seconds. */
const DOS_FIRST = Date.UTC(1980, 0, 1);
const DOS_LAST = Date.UTC(2107, 11, 31, 23, 59, 58);

/**
 * 4.4.6, in MS-DOS format. The format has no time zone; UTC is written, so that the bytes do not depend on where they
 * are made. Times outside the range become its first or last.
 */
function dosDateTime(modifiedAt: number): { date: number; time: number } {
  const at = new Date(Math.min(DOS_LAST, Math.max(DOS_FIRST, modifiedAt)));
  return {
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}
