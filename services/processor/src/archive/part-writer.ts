import type { FilledPart, PartUploads } from "./part-uploads.ts";

/** A stretch of the archive that is written later; from `start` up to, but without, `end`. */
type Gap = { start: number; end: number };

/**
 * Cuts the archive into parts, as its bytes come. One gap at a time may be left open: the parts that it touches are
 * held back until it is closed, and those after them go ahead.
 */
export class PartWriter {
  readonly #uploads: PartUploads;
  readonly #partSize: number;
  readonly #held: FilledPart[] = [];
  #filling: FilledPart | null = null;
  #gap: Gap | null = null;
  #position: number;

  /** `position`: where the first byte goes, the begin of a part. */
  constructor(uploads: PartUploads, partSize: number, position: number) {
    this.#uploads = uploads;
    this.#partSize = partSize;
    this.#position = position;
  }

  /** The offset in the archive of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes the part takes that is being filled. */
  get room(): number {
    return this.#partSize - (this.#position % this.#partSize);
  }

  /** Goes on at the begin of a later part: those before it are not written here. */
  jumpTo(position: number): void {
    if (this.#filling !== null) throw new Error("a part is left half filled");
    this.#position = position;
  }

  /**
   * Copies the bytes; waits when all buffers are in use.
   * @param crcSoFar CRC of an entry's bytes up to the end of these, when they are such
   */
  async write(bytes: Uint8Array, crcSoFar = 0): Promise<void> {
    let taken = 0;
    while (taken < bytes.length) {
      this.#filling ??= { number: this.#nextNumber(), buffer: await this.#uploads.buffer(), length: 0, crcSoFar: 0 };
      const part = this.#filling;
      const piece = bytes.subarray(taken, taken + this.#partSize - part.length);
      part.buffer.set(piece, part.length);
      part.length += piece.length;
      part.crcSoFar = crcSoFar;
      taken += piece.length;
      this.#position += piece.length;
      if (part.length === this.#partSize) this.#handOver(part);
    }
  }

  /** Says that a stretch at or after the position will hold what `close` brings, whatever is written there now. */
  open(gap: Gap): void {
    this.#gap = gap;
  }

  /** Fills the open gap, and lets go of the parts that were held for it. */
  close(bytes: Uint8Array): void {
    const gap = this.#gap;
    if (gap === null) throw new Error("no gap is open");
    this.#gap = null;
    for (const part of this.#filling === null ? this.#held : [...this.#held, this.#filling])
      fill(part, this.#offsetOf(part), gap, bytes);
    for (const part of this.#held.splice(0)) this.#uploads.submit(part);
  }

  /** Sends the last part, and waits until all are stored. */
  async finish(): Promise<void> {
    if (this.#filling !== null) this.#handOver(this.#filling);
    await this.#uploads.finish();
  }

  #handOver(part: FilledPart): void {
    this.#filling = null;
    const touched = this.#gap !== null && this.#gap.start < this.#position && this.#offsetOf(part) < this.#gap.end;
    if (touched) this.#held.push(part);
    else this.#uploads.submit(part);
  }

  #nextNumber(): number {
    return Math.floor(this.#position / this.#partSize) + 1;
  }

  #offsetOf(part: FilledPart): number {
    return (part.number - 1) * this.#partSize;
  }
}

/** Writes those bytes of the gap that lie in the part, which begins at `offset` of the archive. */
function fill(part: FilledPart, offset: number, gap: Gap, bytes: Uint8Array): void {
  const from = Math.max(gap.start, offset);
  const to = Math.min(gap.end, offset + part.length);
  if (from < to) part.buffer.set(bytes.subarray(from - gap.start, to - gap.start), from - offset);
}
