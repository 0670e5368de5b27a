import { crc32 } from "node:zlib";
import type { ArchiveEntry } from "./archive-entry.ts";
import { ArchiveError } from "./archive-error.ts";
import { crc32FromHex, crc32Hex } from "./crc32.ts";
import { Interruptible } from "./interruptible.ts";
import { crcField, hasHeader, isDeferred, type Layout, type Place } from "./layout.ts";
import { buffersFor } from "./part-size.ts";
import { PartUploads } from "./part-uploads.ts";
import { PartWriter } from "./part-writer.ts";
import type { ArchiveProgress, EntryReader, PartSink } from "./ports.ts";
import { ReadAhead } from "./read-ahead.ts";
import { centralEntry, endRecords, localHeader } from "./zip-bytes.ts";

export type ReadOptions = {
  reader: EntryReader;
  signal: AbortSignal;
  /** Called often: with each piece read and each part stored. */
  onProgress?: (progress: ArchiveProgress) => void;
};

export type WriteOptions = ReadOptions & {
  sink: PartSink;
  /** In bytes, of all parts but the last: `partSizeFor`. */
  partSize: number;
  /** Uploads at a time, as far as there are buffers. */
  concurrency: number;
  /** Part buffers, at least `minimumBuffers`; left out: as `buffersFor` says for an archive that may take what it likes. */
  buffers?: number;
};

export type WrittenArchive = {
  sizeBytes: number;
  crc32: string;
  /** CRC-32 of each entry, as eight hex digits. */
  entryCrc32s: string[];
};

/** How near the end of an entry the next one is opened, in bytes. */
const PREPARE_AT_BYTES = 1024 * 1024;

/**
 * Writes the archive of a layout, as parts. When it returns, every part is stored and holds what the plan says. When it
 * throws, nothing reads or uploads any more, and the parts that were stored are of no use.
 * @throws ArchiveError `SOURCE_CHANGED` or `CHECKSUM_MISMATCH`; the error of the reader or the sink; the signal's reason
 */
export async function writeArchive(layout: Layout, options: WriteOptions): Promise<WrittenArchive> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener("abort", onAbort, { once: true });
  const writing = new ArchiveWriting(layout, options, stop);
  try {
    return await writing.run();
  } catch (error) {
    // The first reason counts: what follows from it may be just an error about being stopped.
    stop.abort(error);
    await writing.letGo();
    throw stop.signal.reason;
  } finally {
    options.signal.removeEventListener("abort", onAbort);
  }
}

/** Makes a small archive in memory. Throws as `writeArchive` does. */
export async function archiveBytes(
  layout: Layout,
  options: ReadOptions,
): Promise<WrittenArchive & { bytes: Uint8Array }> {
  let bytes: Uint8Array = new Uint8Array();
  const sink: PartSink = {
    async upload(part) {
      bytes = part.bytes;
    },
  };
  const written = await writeArchive(layout, { ...options, sink, partSize: layout.sizeBytes, concurrency: 1 });
  return { ...written, bytes };
}

class ArchiveWriting {
  readonly #layout: Layout;
  readonly #uploads: PartUploads;
  readonly #writer: PartWriter;
  readonly #sources: ReadAhead;
  readonly #waits: Interruptible;
  readonly #crc32s: string[] = [];
  readonly #report: (change: Partial<ArchiveProgress>) => void;
  #bytesRead = 0;

  constructor(layout: Layout, options: WriteOptions, stop: AbortController) {
    const partSize = Math.max(1, Math.min(options.partSize, layout.sizeBytes));
    let progress: ArchiveProgress = { entriesDone: 0, bytesRead: 0, bytesUploaded: 0 };
    this.#report = (change) => {
      progress = { ...progress, ...change };
      options.onProgress?.(progress);
    };
    this.#layout = layout;
    this.#uploads = new PartUploads({
      sink: options.sink,
      partSize,
      buffers: options.buffers ?? buffersFor(layout, partSize, options.concurrency),
      concurrency: options.concurrency,
      stop,
      onStored: (bytesUploaded) => this.#report({ bytesUploaded }),
    });
    this.#writer = new PartWriter(this.#uploads, partSize);
    this.#sources = new ReadAhead(layout.entries, options.reader, stop.signal);
    this.#waits = new Interruptible(stop.signal);
  }

  async run(): Promise<WrittenArchive> {
    for (const [index, entry] of this.#layout.entries.entries()) {
      const place = this.#placeOf(index);
      if (entry.render === undefined) await this.#writeSource(entry, index, place);
      else await this.#writeRendered(entry, index, entry.render(this.#crc32s));
      this.#expectPosition(place.endOffset);
      this.#report({ entriesDone: index + 1 });
    }
    // A plain file ends with its last byte.
    if (this.#layout.directoryOffset < this.#layout.sizeBytes) await this.#writeDirectory();
    this.#expectPosition(this.#layout.sizeBytes);
    await this.#writer.finish();
    return {
      sizeBytes: this.#layout.sizeBytes,
      crc32: this.#uploads.archiveCrc32(),
      entryCrc32s: this.#crc32s,
    };
  }

  /** After an error: ends what is still going on. */
  async letGo(): Promise<void> {
    this.#sources.close();
    await this.#uploads.settle();
  }

  async #writeRendered(entry: ArchiveEntry, index: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== entry.sizeBytes) throw new Error(`entry ${index} was not made in the size of its plan`);
    const crc = crc32(bytes);
    await this.#writer.write(localHeader({ ...entry, crc32: crc }));
    await this.#writer.write(bytes);
    this.#crc32s.push(crc32Hex(crc));
  }

  async #writeSource(entry: ArchiveEntry, index: number, place: Place): Promise<void> {
    const deferred = isDeferred(entry, place);
    if (deferred) this.#writer.open(crcField(place));
    if (hasHeader(place)) await this.#writer.write(localHeader({ ...entry, crc32: crc32FromHex(entry.crc32 ?? "0") }));
    const crc = await this.#writeData(entry, index);
    const found = crc32Hex(crc);
    if (deferred) {
      const field = Buffer.alloc(4);
      field.writeUInt32LE(crc);
      this.#writer.close(field);
    } else if (entry.crc32 !== null && found !== entry.crc32) {
      throw new ArchiveError("CHECKSUM_MISMATCH", index, `entry ${index} has CRC ${found}, not ${entry.crc32}`);
    }
    this.#crc32s.push(found);
  }

  /** Copies an entry's bytes, exactly as many as planned, and returns their CRC. */
  async #writeData(entry: ArchiveEntry, index: number): Promise<number> {
    const source = this.#sources.take(index);
    let left = entry.sizeBytes;
    let crc = 0;
    for (;;) {
      if (left <= PREPARE_AT_BYTES) this.#sources.prepare(index + 1);
      const { done, value } = await this.#waits.wait(source.next());
      if (done) break;
      left -= value.length;
      if (left < 0) throw changed(index, `gives more than ${entry.sizeBytes} bytes`);
      crc = crc32(value, crc);
      this.#bytesRead += value.length;
      await this.#writer.write(value);
      this.#report({ bytesRead: this.#bytesRead });
    }
    if (left > 0) throw changed(index, `ends ${left} bytes before its planned ${entry.sizeBytes}`);
    return crc;
  }

  async #writeDirectory(): Promise<void> {
    const { entries, directoryOffset, directorySizeBytes } = this.#layout;
    for (const [index, entry] of entries.entries()) {
      const header = { ...entry, crc32: crc32FromHex(this.#crc32s[index] ?? "") };
      await this.#writer.write(centralEntry(header, this.#placeOf(index).headerOffset));
    }
    const directory = { entries: entries.length, offset: directoryOffset, sizeBytes: directorySizeBytes };
    await this.#writer.write(endRecords(directory));
  }

  #placeOf(index: number): Place {
    const place = this.#layout.places[index];
    if (place === undefined) throw new Error(`the layout has no entry ${index}`);
    return place;
  }

  /** A layout that does not fit the bytes would give an archive that nobody can read. */
  #expectPosition(offset: number): void {
    if (this.#writer.position !== offset) {
      throw new Error(`the archive is at byte ${this.#writer.position}, and its layout at ${offset}`);
    }
  }
}

function changed(index: number, what: string): ArchiveError {
  return new ArchiveError("SOURCE_CHANGED", index, `the source of entry ${index} ${what}`);
}
