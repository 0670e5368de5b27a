import { crc32 } from "node:zlib";
import type { ArchiveEntry } from "./archive-entry.ts";
import { ArchiveError } from "./archive-error.ts";
import { crc32Combine, crc32FromHex, crc32Hex } from "./crc32.ts";
import { Interruptible } from "./interruptible.ts";
import type { Layout, Place } from "./layout.ts";
import type { PartUploads } from "./part-uploads.ts";
import type { PartWriter } from "./part-writer.ts";
import { partAt, partStart } from "./parts.ts";
import type { ArchiveProgress, CopiedPart, EntryReader, PartCopier } from "./ports.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { ResumePoint } from "./resume-point.ts";

export type EntryDataOptions = {
  layout: Layout;
  from: ResumePoint;
  partSize: number;
  reader: EntryReader;
  copier?: PartCopier | undefined;
  uploads: PartUploads;
  writer: PartWriter;
  /** Aborted when the archive is given up. */
  signal: AbortSignal;
  /** Bytes of sources that stand already. */
  bytesDone: number;
  onProgress(change: Pick<ArchiveProgress, "bytesDone" | "bytesMoved">): void;
};

/** How near the end of an entry the next one is opened, in bytes. */
const PREPARE_AT_BYTES = 1024 * 1024;

/** Some bytes of an entry, from `offset` up to, but without, `end`; `crc`: of all its bytes before them. */
type Stretch = { offset: number; end: number; crc: number };

/** Puts the bytes of the entries into the archive: read from their sources, or copied by the store. */
export class EntryData {
  readonly #options: EntryDataOptions;
  readonly #sources: ReadAhead;
  readonly #waits: Interruptible;
  #bytesDone: number;
  #bytesMoved = 0;
  #probe: Promise<boolean> | null = null;

  constructor(options: EntryDataOptions) {
    const { layout, reader, signal } = options;
    this.#options = options;
    this.#bytesDone = options.bytesDone;
    this.#sources = new ReadAhead(layout.entries, reader, signal);
    this.#waits = new Interruptible(signal);
  }

  /**
   * Writes an entry's bytes, exactly as many as planned but for those that stand, and returns the CRC of all.
   * @throws ArchiveError `SOURCE_CHANGED`; the error of the reader; the signal's reason
   */
  async write(index: number): Promise<number> {
    const { layout, from, writer } = this.#options;
    const { sizeBytes } = layout.entries[index] as ArchiveEntry;
    const { dataOffset, endOffset } = layout.places[index] as Place;
    const { jump, crcSoFar } = from;
    const offset = Math.max(0, writer.position - dataOffset);
    const begun = offset > 0 ? crc32FromHex(crcSoFar) : 0;
    if (jump === null || jump.from <= dataOffset || jump.from >= endOffset) {
      return await this.#move(index, { offset, end: sizeBytes, crc: begun });
    }
    await this.#move(index, { offset, end: jump.from - dataOffset, crc: begun });
    writer.jumpTo(jump.to);
    const rest = { offset: jump.to - dataOffset, end: sizeBytes, crc: crc32FromHex(jump.crcSoFar) };
    return rest.offset === rest.end ? rest.crc : await this.#move(index, rest);
  }

  /** After an abort: lets go of the sources that are open, and waits for a probe of the copier. */
  async close(): Promise<void> {
    this.#sources.close();
    await this.#probe?.catch(() => {});
  }

  /** Every part that holds nothing else is copied, if the store can do it; what is before and behind them is read. */
  async #move(index: number, stretch: Stretch): Promise<number> {
    const { layout, partSize, copier, writer, signal } = this.#options;
    const { dataOffset } = layout.places[index] as Place;
    const first = partAt(writer.position + partSize - 1, partSize);
    const behind = partAt(dataOffset + stretch.end, partSize);
    if (copier === undefined || first >= behind) return await this.#read(index, stretch);
    this.#probe = copier.canCopy(index, signal);
    if (!(await this.#waits.wait(this.#probe))) return await this.#read(index, stretch);

    const [begin, end] = [first, behind].map((number) => partStart(number, partSize) - dataOffset) as [number, number];
    const { offset } = stretch;
    const crcBefore = offset === begin ? stretch.crc : await this.#read(index, { ...stretch, end: begin });
    const crc = await this.#copy(copier, index, { offset: begin, end, crc: crcBefore });
    return end === stretch.end ? crc : await this.#read(index, { offset: end, end: stretch.end, crc });
  }

  /** Copies whole parts. A part counts as stored when those before it do, for only then its CRC so far is known. */
  async #copy(copier: PartCopier, index: number, { offset, end, crc: begun }: Stretch): Promise<number> {
    const { partSize: length, uploads, writer } = this.#options;
    const first = partAt(writer.position, length);
    const count = (end - offset) / length;
    const whole = Promise.withResolvers<number>();
    const copies: CopiedPart[] = [];
    let [crc, next, handedOver] = [begun, 0, 0];
    // What is copied behind one that takes long is not booked yet, and would be done again after a crash.
    const handOver = () => {
      for (; handedOver < Math.min(count, next + 2 * uploads.concurrency); handedOver++) {
        const i = handedOver;
        const part = { number: first + i, index, offset: offset + i * length, length };
        uploads.copy(part, (copied) => onStored(i, copied));
      }
    };
    const onStored = (i: number, copied: CopiedPart) => {
      copies[i] = copied;
      for (let copy = copies[next]; copy !== undefined; copy = copies[++next]) {
        const { etag, crc32 } = copy;
        crc = crc32Combine(crc, crc32FromHex(crc32), length);
        const known = { crc32, crcSoFar: crc32Hex(crc), foundCrc32s: [] };
        copier.onCopied({ number: first + next, length, ...known }, etag);
        this.#report(length);
      }
      handOver();
      if (next === count) whole.resolve(crc);
    };
    this.#sources.letGo();
    writer.jumpTo(writer.position + end - offset);
    handOver();
    return await this.#waits.wait(whole.promise);
  }

  async #read(index: number, { offset, end, crc: begun }: Stretch): Promise<number> {
    const { sizeBytes } = this.#options.layout.entries[index] as ArchiveEntry;
    const source = offset === 0 ? this.#sources.take(index) : this.#sources.takeFrom(index, offset);
    let at = offset;
    let crc = begun;
    while (at < end || end === sizeBytes) {
      if (sizeBytes - at <= PREPARE_AT_BYTES) this.#sources.prepare(index + 1);
      const { done, value } = await this.#waits.wait(source.next());
      if (done) break;
      if (at + value.length > sizeBytes) throw changed(index, `gives more than ${sizeBytes} bytes`);
      const piece = value.subarray(0, end - at);
      crc = await this.#writePiece(piece, crc);
      at += piece.length;
      this.#report(piece.length);
    }
    if (at < end) throw changed(index, `ends at ${at} of its planned ${sizeBytes} bytes`);
    return crc;
  }

  /** In pieces that end where parts end, so that the CRC up to there is known. */
  async #writePiece(bytes: Uint8Array, begun: number): Promise<number> {
    const { writer } = this.#options;
    let crc = begun;
    for (let taken = 0; taken < bytes.length; ) {
      const piece = bytes.subarray(taken, taken + writer.room);
      crc = crc32(piece, crc);
      await writer.write(piece, crc);
      taken += piece.length;
    }
    return crc;
  }

  #report(moved: number): void {
    this.#bytesDone += moved;
    this.#bytesMoved += moved;
    this.#options.onProgress({ bytesDone: this.#bytesDone, bytesMoved: this.#bytesMoved });
  }
}

function changed(index: number, what: string): ArchiveError {
  return new ArchiveError("SOURCE_CHANGED", index, `the source of entry ${index} ${what}`);
}
