import { systemClock } from "./clock.ts";
import { withTimeout } from "./deadline.ts";
import type { Logger } from "./logger.ts";

type Release = () => unknown;

/** What a release gets when the deadline has passed already: enough to flush something, not to hold up the end. */
const LAST_CHANCE_MS = 250;

/**
 * What was opened and how to close it, as a stack: whoever opens something defers its close in the next line, and the
 * last opened is closed first. So a boot that fails half-way releases exactly what it had opened.
 */
export class Releasers {
  readonly #log: Logger;
  readonly #stack: { name: string; release: Release }[] = [];
  #state: "open" | "releasing" | "released" = "open";

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Registers how to undo what was just opened; may be async. When everything was released already, undoes it at once. */
  defer(name: string, release: Release): void {
    if (this.#state === "released") void this.#run(name, release, LAST_CHANCE_MS);
    else this.#stack.push({ name, release });
  }

  /**
   * Releases everything, the last deferred first, one after the other. Goes on past errors, and past a release that
   * does not end: all of them together get `deadlineMs`, and those still to come after it a quarter of a second each.
   * @returns the names of those that failed or did not end; empty = all is closed
   */
  async release(deadlineMs: number): Promise<string[]> {
    const end = systemClock.monotonic() + deadlineMs;
    const failed: string[] = [];
    this.#state = "releasing";
    // Taken one by one, because a boot that is still under way may defer more meanwhile.
    for (let next = this.#stack.pop(); next; next = this.#stack.pop()) {
      const leftMs = Math.max(LAST_CHANCE_MS, end - systemClock.monotonic());
      if (!(await this.#run(next.name, next.release, leftMs))) failed.push(next.name);
    }
    this.#state = "released";
    return failed;
  }

  async #run(name: string, release: Release, ms: number): Promise<boolean> {
    try {
      await withTimeout(async () => release(), Math.round(ms), `Closing ${name}`);
      this.#log.debug({ released: name }, "closed");
      return true;
    } catch (error) {
      this.#log.error({ err: error, released: name }, `closing ${name} failed`);
      return false;
    }
  }
}
