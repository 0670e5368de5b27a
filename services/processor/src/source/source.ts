/** One file that a source has. */
export type SourceFile = {
  fileId: number;
  /** Name that the source gives the file, without a path. */
  name: string;
  /** Key of the object in the source store. */
  key: string;
  sizeBytes: number;
  etag: string | null;
  /** CRC-32 of the whole file, where the source tells. */
  crc32: string | null;
  modifiedAt: Date;
};

/** Where the bytes come from. */
export interface Source {
  /** Looks a file up. Fails with a `JobFailure` at stage `plan`; an unknown file is FILE_NOT_FOUND. */
  find(fileId: number, signal: AbortSignal): Promise<SourceFile>;
  /**
   * The bytes of a file as it was found, from an offset on. Fails with a `JobFailure` at stage `read-source`;
   * SOURCE_CHANGED when the file is another by now.
   */
  open(file: SourceFile, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
