import { type JobRecord, LOG_FIELDS } from "@longhaul/contracts";
import { isOver } from "@longhaul/job";
import { type Clock, inParallel, type Logger } from "@longhaul/runtime";
import type { Items, Jobs, Tally, Views } from "./ports.ts";

/** A job without a write for this long is looked at. */
const UNCHANGED_MS = 2 * 60_000;
/** Few enough for a page to end soon, also when each job of it costs the time-out of a bus that is frozen. */
const PAGE = 100;
/** Jobs of one status looked at in a round; the next round goes on from there. */
const ROUND_MAX = 10_000;
const WIDTH = 8;
const START = new Date(0);

export type RequeueDeps = { jobs: Jobs; views: Views; items: Items; tally: Tally; clock: Clock; log: Logger };

/** Makes the work items of queued and running jobs that are missing, whatever has become of them. */
export class RequeueSweep {
  readonly #deps: RequeueDeps;
  readonly #from = { queued: START, running: START };

  constructor(deps: RequeueDeps) {
    this.#deps = deps;
  }

  /** Rejects when the views are away. A job that cannot be looked at is logged and comes again with a later round. */
  async round(signal: AbortSignal): Promise<void> {
    const until = new Date(this.#deps.clock.now() - UNCHANGED_MS);
    for (const status of ["queued", "running"] as const) {
      for (let looked = 0; looked < ROUND_MAX; looked += PAGE) {
        signal.throwIfAborted();
        const from = this.#from[status];
        const page = await this.#deps.views.unfinished({ status, from, until, limit: PAGE });
        const failed = await this.#putItems(page, until, signal);
        const last = page.at(-1)?.updatedAt ?? START;
        this.#from[status] = page.length < PAGE ? START : new Date(Math.max(last.getTime(), from.getTime() + 1));
        // When all of a page fail, the bus is away: the next page would fare no better.
        if (page.length < PAGE || failed === page.length) break;
      }
    }
  }

  /** One job that nobody can read must not keep the others from having their items. Gives the number of such jobs. */
  async #putItems(page: readonly { id: string }[], until: Date, signal: AbortSignal): Promise<number> {
    const failed = new Map<string, unknown>();
    await inParallel(page, WIDTH, async ({ id }) => {
      signal.throwIfAborted();
      await this.#putItem(id, until).catch((error: unknown) => failed.set(id, error));
    });
    const [first] = failed;
    if (first) {
      const fields = { [LOG_FIELDS.jobId]: first[0], failed: failed.size, err: first[1] };
      this.#deps.log.warn(fields, "work items of jobs, this one among them, could not be checked; a later round will");
    }
    return failed.size;
  }

  async #putItem(id: string, until: Date): Promise<void> {
    const { jobs, items, tally } = this.#deps;
    const record = (await jobs.newest(id))?.record;
    if (record === undefined || isOver(record) || Date.parse(record.updatedAt) >= until.getTime()) return;
    if ((await items.put(record as JobRecord)) === "sent") tally.requeued();
  }
}
