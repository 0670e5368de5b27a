import type { ArchiveEntry } from "./archive-entry.ts";
import type { EntryReader } from "./ports.ts";

/** The bytes of one entry, piece by piece. */
export type EntryBytes = AsyncIterator<Uint8Array>;

/**
 * Opens the entries of an archive one after the other. While one is read to its end the next may already be asked for
 * its first piece, so that many small files do not wait for each other's first byte. At most two are open at a time.
 */
export class ReadAhead {
  readonly #entries: readonly ArchiveEntry[];
  readonly #reader: EntryReader;
  readonly #signal: AbortSignal;
  #current: EntryBytes | null = null;
  #next: { index: number; bytes: EntryBytes } | null = null;

  constructor(entries: readonly ArchiveEntry[], reader: EntryReader, signal: AbortSignal) {
    this.#entries = entries;
    this.#reader = reader;
    this.#signal = signal;
  }

  /** Asks for the first piece of an entry, if that was not done yet. An entry without a source has none. */
  prepare(index: number): void {
    const entry = this.#entries[index];
    if (entry === undefined || entry.render !== undefined || this.#next !== null) return;
    this.#next = { index, bytes: startedEarly(this.#reader.open(entry, index, 0, this.#signal)) };
  }

  /** The bytes of an entry; the one that was opened before it must be read to its end. */
  take(index: number): EntryBytes {
    this.#forgetNextBefore(index);
    this.prepare(index);
    if (this.#next?.index !== index) throw new Error(`entry ${index} was not the next one`);
    this.letGo();
    this.#current = this.#next.bytes;
    this.#next = null;
    return this.#current;
  }

  /** The bytes of an entry from an offset on; what was read before them is let go of. */
  takeFrom(index: number, offset: number): EntryBytes {
    const entry = this.#entries[index];
    if (entry === undefined) throw new Error(`there is no entry ${index}`);
    this.letGo();
    this.#forgetNextBefore(index + 1);
    this.#current = this.#reader.open(entry, index, offset, this.#signal)[Symbol.asyncIterator]();
    return this.#current;
  }

  /** Lets go of the entry that was taken, when no more of it is to be read now. */
  letGo(): void {
    this.#current?.return?.().catch(() => {});
    this.#current = null;
  }

  /** Lets go of what is open, without waiting for it: a source that hangs would not answer. */
  close(): void {
    for (const bytes of [this.#current, this.#next?.bytes]) bytes?.return?.().catch(() => {});
    this.#current = null;
    this.#next = null;
  }

  /** Lets go of an entry that was opened early and whose begin turned out not to be read. */
  #forgetNextBefore(index: number): void {
    if (this.#next === null || this.#next.index >= index) return;
    this.#next.bytes.return?.().catch(() => {});
    this.#next = null;
  }
}

/** The iterator, with its first piece asked for at once; an error of that stays until somebody asks for the piece. */
function startedEarly(source: AsyncIterable<Uint8Array>): EntryBytes {
  const iterator = source[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Uint8Array>> | null = iterator.next();
  first.catch(() => {});
  return {
    next() {
      const early = first;
      first = null;
      return early ?? iterator.next();
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
