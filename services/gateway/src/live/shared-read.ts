import type { Clock } from "@longhaul/runtime";

/**
 * A read that many want and that is made at most once in `gapMs`. Everybody gets the outcome of a read that *began*
 * after they asked, so nobody is answered below what they already knew.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  readonly #gapMs: number;
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  #beganAt = Number.NEGATIVE_INFINITY;
  #next: Promise<T> | null = null;

  constructor(read: () => Promise<T>, gapMs: number, clock: Pick<Clock, "monotonic" | "sleep">) {
    this.#read = read;
    this.#gapMs = gapMs;
    this.#clock = clock;
  }

  ask(): Promise<T> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<T> {
    const waitMs = this.#beganAt + this.#gapMs - this.#clock.monotonic();
    // The empty wait lets `ask` note this read before it begins.
    await (waitMs > 0 ? this.#clock.sleep(waitMs) : undefined);
    this.#next = null;
    this.#beganAt = this.#clock.monotonic();
    return this.#read();
  }
}
