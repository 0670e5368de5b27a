/** The bytes of a source are not those of the plan. `entry` is its index in the archive. */
export class ArchiveError extends Error {
  readonly code: "SOURCE_CHANGED" | "CHECKSUM_MISMATCH";
  readonly entry: number;

  constructor(code: ArchiveError["code"], entry: number, message: string) {
    super(message);
    this.name = "ArchiveError";
    this.code = code;
    this.entry = entry;
  }
}
