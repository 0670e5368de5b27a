import type { Progress } from "@longhaul/contracts";
import { type Clock, sleptThrough } from "@longhaul/runtime";
import type { HeldJob } from "./held-job.ts";

/** Sends a run's progress, at most one message an interval, always the latest, the last one included. */
export class ProgressSender {
  readonly #held: HeldJob;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #signal: AbortSignal;
  #latest: Progress | null = null;
  #waiting = false;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(held: HeldJob, clock: Clock, intervalMs: number, signal: AbortSignal) {
    this.#held = held;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#signal = signal;
  }

  report(progress: Progress): void {
    this.#latest = progress;
    if (!this.#waiting) void this.#sendWhenDue();
  }

  async #sendWhenDue(): Promise<void> {
    const waitMs = this.#sentAt + this.#intervalMs - this.#clock.monotonic();
    if (waitMs > 0) {
      this.#waiting = true;
      const waited = await sleptThrough(this.#clock, waitMs, this.#signal);
      this.#waiting = false;
      if (!waited) return;
    }
    if (this.#latest === null) return;
    this.#held.sendProgress(this.#latest);
    this.#latest = null;
    this.#sentAt = this.#clock.monotonic();
  }
}
