import { crc32 } from "node:zlib";
import { crc32Combine, crc32FromHex, crc32Hex } from "./crc32.ts";
import { Interruptible } from "./interruptible.ts";
import type { CopiedPart, EntryPart, PartCopier, PartSink } from "./ports.ts";

/** A part in its buffer: `length` bytes of it, from the first. `crcSoFar`: of the entry in which it ends, up to there. */
export type FilledPart = { number: number; buffer: Buffer; length: number; crcSoFar: number };

export type PartUploadsOptions = {
  sink: PartSink;
  /** Left out: nothing is copied. */
  copier?: PartCopier | undefined;
  partSize: number;
  /** How many buffers of `partSize` there may be. */
  buffers: number;
  /** How many uploads and copies may run at a time. */
  concurrency: number;
  /** Aborted when the archive is given up, also by the first upload that fails. */
  stop: AbortController;
  /** Parts that are stored already. */
  standing: readonly { number: number; crc: number; length: number }[];
  /** CRCs that stand in a part although their sources told none; asked for when the part is sent. */
  foundCrc32s(number: number): string[];
  /** Called after each part. */
  onStored(): void;
};

/**
 * The uploads of an archive: a fixed set of buffers that go round between who fills them and the sink; and the parts that
 * the store copies, which need none.
 */
export class PartUploads {
  readonly #options: PartUploadsOptions;
  readonly #waits: Interruptible;
  readonly #free: Buffer[] = [];
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #sent: { crc: number; length: number }[] = [];
  #allocated = 0;
  #settled = Promise.withResolvers<void>();

  constructor(options: PartUploadsOptions) {
    this.#options = options;
    this.#waits = new Interruptible(options.stop.signal);
    for (const { number, crc, length } of options.standing) {
      this.#sent[number - 1] = { crc, length };
    }
  }

  /** How many parts may be on their way at a time. */
  get concurrency(): number {
    return this.#options.concurrency;
  }

  /** An empty buffer; waits until there is one. Its holder hands it back with `submit`. */
  async buffer(): Promise<Buffer> {
    for (;;) {
      const buffer = this.#free.pop() ?? this.#allocate();
      if (buffer !== undefined) return buffer;
      await this.#waits.wait(this.#settled.promise);
    }
  }

  /** Uploads a part now or when its turn comes. */
  submit(part: FilledPart): void {
    this.#enqueue(() => this.#upload(part));
  }

  /** Has a part copied now or when its turn comes, and tells at once when it is stored. */
  copy(part: EntryPart, onStored: (copied: CopiedPart) => void): void {
    this.#enqueue(async () => onStored(await this.#copy(part)));
  }

  /** Waits until every part is stored. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await this.#waits.wait(this.#settled.promise);
    this.#options.stop.signal.throwIfAborted();
  }

  /** After an abort: starts nothing more, and waits until no upload holds a buffer. */
  async settle(): Promise<void> {
    this.#queue.length = 0;
    await Promise.all(this.#running);
  }

  /** CRC-32 of the whole archive, when every part is stored. */
  archiveCrc32(): string {
    return crc32Hex(this.#sent.reduce((crc, part) => crc32Combine(crc, part.crc, part.length), 0));
  }

  #allocate(): Buffer | undefined {
    if (this.#allocated === this.#options.buffers) return undefined;
    this.#allocated += 1;
    // Not from a pool, and not filled: the memory is ours alone and every byte of it is written before it is sent.
    return Buffer.allocUnsafeSlow(this.#options.partSize);
  }

  #enqueue(store: () => Promise<void>): void {
    this.#queue.push(store);
    this.#start();
  }

  /** An error stops the archive. */
  #start(): void {
    const { concurrency, stop } = this.#options;
    while (this.#running.size < concurrency && !stop.signal.aborted) {
      const store = this.#queue.shift();
      if (store === undefined) return;
      const storing = store()
        .catch((error: unknown) => stop.abort(error))
        .finally(() => {
          this.#running.delete(storing);
          this.#start();
          this.#settled.resolve();
          this.#settled = Promise.withResolvers();
        });
      this.#running.add(storing);
    }
  }

  async #upload({ number, buffer, length, crcSoFar }: FilledPart): Promise<void> {
    const { sink, stop, foundCrc32s } = this.#options;
    const bytes = buffer.subarray(0, length);
    const crc = crc32(bytes);
    const known = { crc32: crc32Hex(crc), crcSoFar: crc32Hex(crcSoFar), foundCrc32s: foundCrc32s(number) };
    await sink.upload({ number, bytes, ...known }, stop.signal);
    this.#free.push(buffer);
    this.#stored(number, crc, length);
  }

  async #copy(part: EntryPart): Promise<CopiedPart> {
    const { copier, stop } = this.#options;
    if (copier === undefined) throw new Error("nothing can be copied");
    const copied = await copier.copy(part, stop.signal);
    this.#stored(part.number, crc32FromHex(copied.crc32), part.length);
    return copied;
  }

  #stored(number: number, crc: number, length: number): void {
    this.#sent[number - 1] = { crc, length };
    this.#options.onStored();
  }
}
