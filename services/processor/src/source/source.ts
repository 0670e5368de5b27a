/** One file of a source, as a plan knows it. */
export type PlannedFile = {
  fileId: number;
  /** Name that the source gives the file, without a path. */
  name: string;
  sizeBytes: number;
  /** Names this version of the file. A file without one can be read from its first byte only. */
  etag: string | null;
  /** CRC-32 of the whole file, where the source tells. */
  crc32: string | null;
  modifiedAt: Date;
};

/** A file that was found; `key`: of the object in the source store. */
export type SourceFile = PlannedFile & { key: string };

/** Where the bytes come from. */
export interface Source<File extends PlannedFile = PlannedFile> {
  /** Looks a file up. Fails with a `JobFailure` at stage `plan`; an unknown file is FILE_NOT_FOUND. */
  find(fileId: number, signal: AbortSignal): Promise<File>;
  /**
   * The bytes of a file as it was found, from an offset on. Fails with a `JobFailure` at stage `read-source`;
   * SOURCE_CHANGED when the file is another by now, or when nobody can tell and the offset is not 0.
   */
  open(file: PlannedFile, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A source whose files are objects, which can be handed out as they are. */
export type ObjectSource = Source<SourceFile>;
