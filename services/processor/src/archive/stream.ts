import { crc32 } from "node:zlib";
import type { ArchiveEntry } from "./archive-entry.ts";
import { ArchiveError } from "./archive-error.ts";
import { crc32FromHex, crc32Hex } from "./crc32.ts";
import { EntryData } from "./entry-data.ts";
import { crcField, hasHeader, type Layout, type Place } from "./layout.ts";
import { buffersFor } from "./part-size.ts";
import { PartUploads } from "./part-uploads.ts";
import { PartWriter } from "./part-writer.ts";
import { entriesFoundOut, entryAfter, partBytes } from "./parts.ts";
import type { ArchiveProgress, EntryReader, PartCopier, PartSink } from "./ports.ts";
import { FROM_THE_START, type ResumePoint } from "./resume-point.ts";
import { centralEntry, endRecords, localHeader } from "./zip-bytes.ts";

export type ReadOptions = {
  reader: EntryReader;
  signal: AbortSignal;
  /** Called often: with each piece read and each part stored. */
  onProgress?: (progress: ArchiveProgress) => void;
};

export type WriteOptions = ReadOptions & {
  sink: PartSink;
  /** Left out: every byte is read. */
  copier?: PartCopier | undefined;
  /** In bytes, of all parts but the last: `partSizeFor`. */
  partSize: number;
  /** Uploads and copies at a time, as far as there are buffers. */
  concurrency: number;
  /** Part buffers, at least `minimumBuffers`; left out: as `buffersFor` says for an archive that may take what it likes. */
  buffers?: number;
  /** Where to go on; left out: at the first byte. */
  from?: ResumePoint;
};

export type WrittenArchive = { sizeBytes: number; crc32: string };

/**
 * Writes the archive of a layout, as parts. When it returns, every part is stored and holds what the plan says. When it
 * throws, nothing reads or uploads any more.
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
  readonly #from: ResumePoint;
  readonly #first: number;
  readonly #uploads: PartUploads;
  readonly #writer: PartWriter;
  readonly #data: EntryData;
  /** By index; those that are known before their entry is written, too. */
  readonly #crc32s: string[] = [];
  readonly #report: (change: Partial<ArchiveProgress>) => void;

  constructor(layout: Layout, options: WriteOptions, stop: AbortController) {
    const partSize = Math.max(1, Math.min(options.partSize, layout.sizeBytes));
    const { from = FROM_THE_START } = options;
    this.#layout = layout;
    this.#from = from;
    // At the begin also entries without a byte are still to be written.
    this.#first = from.offset === 0 ? 0 : entryAfter(layout, from.offset);
    for (const [index, crc] of from.foundCrc32s) this.#crc32s[index] = crc;
    const bytesDone = bytesBefore(layout, from, this.#first);
    this.#uploads = new PartUploads({
      sink: options.sink,
      copier: options.copier,
      partSize,
      buffers: options.buffers ?? buffersFor(layout, partSize, options.concurrency),
      concurrency: options.concurrency,
      stop,
      standing: from.standing.map(({ number, crc32: crc }) => {
        return { number, crc: crc32FromHex(crc), length: partBytes(layout, number, partSize) };
      }),
      foundCrc32s: (number) => entriesFoundOut(layout, number, partSize).map((index) => this.#crcOf(index)),
      onStored: () => this.#report({}),
    });
    let progress: ArchiveProgress = { entriesDone: this.#first, bytesDone, bytesMoved: 0 };
    this.#report = (change) => {
      progress = { ...progress, ...change };
      options.onProgress?.(progress);
    };
    this.#writer = new PartWriter(this.#uploads, partSize, from.offset);
    this.#data = new EntryData({
      ...options,
      ...{ layout, from, partSize, uploads: this.#uploads, writer: this.#writer, signal: stop.signal, bytesDone },
      onProgress: this.#report,
    });
  }

  async run(): Promise<WrittenArchive> {
    this.#report({});
    for (const [index, entry] of this.#layout.entries.entries()) {
      if (index < this.#first) {
        this.#pass(entry, index);
        continue;
      }
      const place = this.#placeOf(index);
      if (entry.render === undefined) await this.#writeSource(entry, index, place);
      else await this.#writeRendered(entry, index, place, entry.render(this.#crc32s));
      this.#expectPosition(place.endOffset);
      this.#report({ entriesDone: index + 1 });
    }
    // A plain file ends with its last byte.
    if (this.#layout.directoryOffset < this.#layout.sizeBytes) await this.#writeDirectory();
    this.#expectPosition(this.#layout.sizeBytes);
    await this.#writer.finish();
    return { sizeBytes: this.#layout.sizeBytes, crc32: this.#uploads.archiveCrc32() };
  }

  /** After an error: ends what is still going on. */
  async letGo(): Promise<void> {
    await Promise.all([this.#data.close(), this.#uploads.settle()]);
  }

  /** An entry that stands as a whole. Where nothing is written of its CRC (a plain file), it is that of its last part. */
  #pass(entry: ArchiveEntry, index: number): void {
    const made = entry.render?.(this.#crc32s);
    const told = made === undefined ? entry.crc32 : crc32Hex(crc32(made));
    this.#crc32s[index] = told ?? (hasHeader(this.#placeOf(index)) ? this.#crcOf(index) : this.#from.crcSoFar);
  }

  async #writeRendered(entry: ArchiveEntry, index: number, place: Place, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== entry.sizeBytes) throw new Error(`entry ${index} was not made in the size of its plan`);
    const crc = crc32(bytes);
    await this.#writeAt(place.headerOffset, localHeader({ ...entry, crc32: crc }));
    await this.#writeAt(place.dataOffset, bytes);
    this.#crc32s[index] = crc32Hex(crc);
  }

  /** Writes bytes whose place is known, but for those that stand already. */
  async #writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes.subarray(Math.max(0, this.#writer.position - offset)));
  }

  async #writeSource(entry: ArchiveEntry, index: number, place: Place): Promise<void> {
    const told = entry.crc32 ?? this.#crc32s[index] ?? null;
    const deferred = told === null && hasHeader(place);
    if (deferred) this.#writer.open(crcField(place));
    if (hasHeader(place))
      await this.#writeAt(place.headerOffset, localHeader({ ...entry, crc32: crc32FromHex(told ?? "0") }));
    const crc = await this.#data.write(index);
    const found = crc32Hex(crc);
    this.#crc32s[index] = found;
    if (deferred) {
      const field = Buffer.alloc(4);
      field.writeUInt32LE(crc);
      this.#writer.close(field);
    } else if (told !== null && found !== told) {
      throw new ArchiveError("CHECKSUM_MISMATCH", index, `entry ${index} has CRC ${found}, not ${told}`);
    }
  }

  async #writeDirectory(): Promise<void> {
    const { entries, directoryOffset, directorySizeBytes } = this.#layout;
    let offset = directoryOffset;
    for (const [index, entry] of entries.entries()) {
      const header = { ...entry, crc32: crc32FromHex(this.#crcOf(index)) };
      const bytes = centralEntry(header, this.#placeOf(index).headerOffset);
      await this.#writeAt(offset, bytes);
      offset += bytes.length;
    }
    const directory = { entries: entries.length, offset: directoryOffset, sizeBytes: directorySizeBytes };
    await this.#writeAt(offset, endRecords(directory));
  }

  #crcOf(index: number): string {
    const crc = this.#crc32s[index];
    if (crc === undefined) throw new Error(`the CRC of entry ${index} is not known`);
    return crc;
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

/** Bytes of sources that stand in the archive. */
function bytesBefore({ entries, places }: Layout, { offset, jump }: ResumePoint, first: number): number {
  const whole = entries.slice(0, first).reduce((sum, entry) => sum + (entry.render ? 0 : entry.sizeBytes), 0);
  const begun = entries[first]?.render ? 0 : Math.max(0, offset - (places[first]?.dataOffset ?? offset));
  return whole + begun + (jump === null ? 0 : jump.to - jump.from);
}
