import type { Clock } from "@longhaul/runtime";
import type { Taken } from "./work-queue.ts";

const LOOK_MS = 5;

/** Deliveries that came and that no test has asked for yet. */
export class Inbox {
  readonly #clock: Clock;
  readonly #waiting: Taken[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(taken: Taken): void {
    this.#waiting.push(taken);
  }

  /** The job's next delivery; null when none came in this time. */
  async take(id: string, withinMs: number): Promise<Taken | null> {
    const endAt = this.#clock.monotonic() + withinMs;
    for (;;) {
      const at = this.#waiting.findIndex((taken) => taken.id === id);
      const [taken] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (taken) return taken;
      if (this.#clock.monotonic() >= endAt) return null;
      await this.#clock.sleep(LOOK_MS);
    }
  }
}
