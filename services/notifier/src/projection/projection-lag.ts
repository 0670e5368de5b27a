import { type Clock, systemClock } from "@longhaul/runtime";

/** How far the views are behind, as far as one projector can tell. */
export class ProjectionLag {
  readonly #clock: Pick<Clock, "now">;
  #oldestInHandMs: number | null = null;
  #afterFullBatchSeconds = 0;

  constructor(clock: Pick<Clock, "now"> = systemClock) {
    this.#clock = clock;
  }

  /** A batch has come whose oldest write was made at this time. */
  received(oldestMs: number): void {
    this.#oldestInHandMs = oldestMs;
  }

  /** The batch is in the views. After a full one there probably are more that are as old, after another there are none. */
  stored(full: boolean): void {
    this.#afterFullBatchSeconds = full ? this.seconds() : 0;
    this.#oldestInHandMs = null;
  }

  seconds(): number {
    if (this.#oldestInHandMs === null) return this.#afterFullBatchSeconds;
    return Math.max(0, (this.#clock.now() - this.#oldestInHandMs) / 1000);
  }
}
