/**
 * The waits of one loop, one at a time, each of which ends at once when the signal is aborted. A race with a promise
 * for the abort would do the same, but keeps something of each wait for as long as the signal lives.
 */
export class Interruptible {
  readonly #signal: AbortSignal;
  #interrupt: (reason: unknown) => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#interrupt(signal.reason), { once: true });
  }

  /** What the promise becomes, or the signal's reason. What it becomes after an abort is dropped. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      if (this.#signal.aborted) reject(this.#signal.reason);
      promise.then(resolve, reject);
    });
  }
}
