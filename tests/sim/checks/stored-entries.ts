import { crcOf } from "../objects/object-server.ts";

const END_BYTES = 22;
const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 };

/** One file of an archive. */
export type StoredEntry = { name: string; bytes: Buffer };

/**
 * Reads a ZIP of stored entries by its central directory (APPNOTE 4.3.12, 4.3.16), and holds each local header and
 * checksum against it. Written apart from the code that makes archives, and for small ones only: no ZIP64, no comment.
 * @throws Error that says what is wrong
 */
export function storedEntries(zip: Buffer): StoredEntry[] {
  const end = zip.length - END_BYTES;
  if (end < 0 || zip.readUInt32LE(end) !== SIGNATURE.end) throw new Error("it does not end like a ZIP");
  const count = zip.readUInt16LE(end + 10);
  const entries: StoredEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (zip.readUInt32LE(at) !== SIGNATURE.central) throw new Error(`entry ${i} is not in its directory`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const name = zip.toString("utf8", at + 46, at + 46 + (nameBytes ?? 0));
    const bytes = entryBytes(zip, zip.readUInt32LE(at + 42), zip.readUInt32LE(at + 20), name);
    if (
      crcOf(bytes) !==
      zip
        .readUInt32LE(at + 16)
        .toString(16)
        .padStart(8, "0")
    )
      throw new Error(`${name} is damaged`);
    entries.push({ name, bytes });
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  return entries;
}

function entryBytes(zip: Buffer, at: number, sizeBytes: number, name: string): Buffer {
  if (zip.readUInt32LE(at) !== SIGNATURE.local || zip.readUInt16LE(at + 8) !== 0) {
    throw new Error(`${name} is not where its directory says, or not stored as it is`);
  }
  const nameBytes = zip.readUInt16LE(at + 26);
  const start = at + 30 + nameBytes + zip.readUInt16LE(at + 28);
  if (zip.toString("utf8", at + 30, at + 30 + nameBytes) !== name) throw new Error(`${name} has another name inside`);
  return zip.subarray(start, start + sizeBytes);
}
