import type { ArchiveEntry } from "./archive-entry.ts";
import type { StandingPart } from "./resume-point.ts";

/** Where the bytes of entries come from. */
export interface EntryReader {
  /**
   * The bytes of an entry from an offset on, in pieces of any size. A piece may be overwritten when the next one is asked
   * for. Nothing has to happen before the first piece is asked for. Must give up by itself on a source that gives
   * nothing for too long, and at once when the signal is aborted; its errors end the archive as they are.
   * @param index of the entry in the archive
   */
  open(entry: ArchiveEntry, index: number, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A piece of the archive; all but the last are of the same size. */
export type Part = StandingPart & {
  /** Valid until the upload has settled; the memory is used again. */
  bytes: Uint8Array;
};

/** Where the parts of an archive go to. */
export interface PartSink {
  /**
   * Stores a part; several at a time, and not always in their order. Repeats what can be repeated, gives up by itself
   * after a while, and when the signal is aborted; its error ends the archive as it is.
   */
  upload(part: Part, signal: AbortSignal): Promise<void>;
}

/** A part that is nothing but bytes of one entry: `length` of them, from `offset` of the entry on. */
export type EntryPart = { number: number; index: number; offset: number; length: number };

/** A part that the store has made of bytes that it had already. `crc32`: as the store computed it, eight hex digits. */
export type CopiedPart = { etag: string; crc32: string };

/** Where the store can take parts from by itself, so that their bytes do not pass through here. */
export interface PartCopier {
  /** Finds out whether the store can copy parts of an entry, and says their right CRC. */
  canCopy(index: number, signal: AbortSignal): Promise<boolean>;
  /** Stores a part; on its errors and the signal as `PartSink.upload`. */
  copy(part: EntryPart, signal: AbortSignal): Promise<CopiedPart>;
  /** Told of each copied part, in the order of their numbers. */
  onCopied(part: StandingPart & Pick<EntryPart, "length">, etag: string): void;
}

/** How far an archive is. */
export type ArchiveProgress = {
  /** Entries of which every byte was read and checked. */
  entriesDone: number;
  /** Bytes of sources that are in the archive so far. */
  bytesDone: number;
  /** Those that did not stand already: read, or copied by the store. */
  bytesMoved: number;
};
