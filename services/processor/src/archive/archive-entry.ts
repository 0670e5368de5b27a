/** One entry of an archive that is to be written. */
export type ArchiveEntry = {
  /** Path inside the archive, as `entryNames` makes it safe and unique; ≤ 65,535 bytes in UTF-8. */
  name: string;
  sizeBytes: number;
  /** CRC-32 as eight hex digits; null where the source does not tell before its bytes were read. */
  crc32: string | null;
  /** When the source was last changed: milliseconds since 1970, UTC. */
  modifiedAt: number;
  /**
   * Makes the bytes of an entry that has no source, from the CRCs of all entries before it. Asked for when the writer
   * comes to the entry; they must be `sizeBytes` long.
   */
  render?: (crc32s: readonly string[]) => Uint8Array;
};
