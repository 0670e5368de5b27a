import { BusError } from "@longhaul/bus";
import { LOG_FIELDS } from "@longhaul/contracts";
import { keptSeconds, LAST_ENDS } from "@longhaul/job";
import { type Clock, inParallel, type Logger, type Loop, type Random, sleptThrough } from "@longhaul/runtime";
import { type DueCursor, type EndingViews, StoreError } from "@longhaul/store";
import { type ExpiryOutcome, type ExpiryPolicy, type ExpiryPorts, expireJob } from "./expire-job.ts";

export type ExpiryDeps = {
  ports: ExpiryPorts;
  ending: EndingViews;
  config: ExpiryPolicy & { expiryIntervalMs: number; tombstoneSeconds: number };
  clock: Clock;
  random: Random;
  log: Logger;
};

/** Jobs read from the views at a time, and the most of each kind in one round: the rest is for the next. */
const PAGE = 100;
const PAGES_MAX = 100;
/** Jobs expired at a time. */
const WIDTH = 8;

/**
 * Ends what is past its time: expires due jobs and results, then forgets the views of jobs that ended long ago. Any
 * number of notifiers may do it: each write names what it replaces, and the second to come finds nothing to do. What a
 * round leaves, because a server is away or there is too much, the next one finds again.
 */
export function expiryLoop(deps: ExpiryDeps): Loop {
  const { config, clock, random, log } = deps;
  return {
    name: "expiry",
    async run(signal) {
      while (await sleptThrough(clock, spreadMs(config.expiryIntervalMs, random.unit()), signal)) {
        try {
          await expireDue(deps, signal);
          await forget(deps, signal);
        } catch (error) {
          if (!(error instanceof BusError || error instanceof StoreError)) throw error;
          log.warn({ err: error }, "what is past its time could not be ended now; the next round does it");
        }
      }
    },
  };
}

/** Between 3/4 and 5/4 of the interval, so that several notifiers do not keep in step. */
const spreadMs = (intervalMs: number, unit: number) => Math.round(intervalMs * (0.75 + unit / 2));

type Outcome = ExpiryOutcome | "unreadable";

/** What needs a person: it is told of each job. */
const TROUBLES: Partial<Record<Outcome, string>> = {
  lost: "an unfinished job is no longer in JOBS: its state was lost there, and it is left as it is",
  unreadable: "a job's message in JOBS cannot be read, so the job cannot expire",
};

/** One job that nobody can read must not keep all that are due after it from expiring. */
function ifUnreadable(error: unknown): "unreadable" {
  if (error instanceof BusError && error.code === "UNREADABLE") return "unreadable";
  throw error;
}

async function expireDue({ ports, ending, config, log }: ExpiryDeps, signal: AbortSignal): Promise<void> {
  const now = new Date(ports.now());
  const counts = { expired: 0, "not-due": 0, unsettled: 0, lost: 0, unreadable: 0 };
  let after: DueCursor | null = null;
  for (let page = 0; page < PAGES_MAX && !signal.aborted; page++) {
    const { ids, next } = await ending.due(now, PAGE, after);
    await inParallel(ids, WIDTH, async (id) => {
      if (signal.aborted) return;
      const outcome = await expireJob(id, ports, config).catch(ifUnreadable);
      counts[outcome]++;
      const trouble = TROUBLES[outcome];
      if (trouble) log.error({ [LOG_FIELDS.jobId]: id }, trouble);
    });
    after = next;
    if (after === null) break;
  }
  if (counts.expired + counts.unsettled + counts.lost + counts.unreadable > 0)
    log.info(counts, "ended what was past its time");
}

async function forget({ ports, ending, config, log }: ExpiryDeps, signal: AbortSignal): Promise<void> {
  let forgotten = 0;
  for (const status of LAST_ENDS) {
    const writtenUntil = new Date(ports.now() - keptSeconds(status, config) * 1000);
    for (let page = 0; page < PAGES_MAX && !signal.aborted; page++) {
      const found = await ending.writtenUntil(status, writtenUntil, PAGE);
      await ending.bury(found, new Date(ports.now() + config.tombstoneSeconds * 1000));
      forgotten += found.length;
      if (found.length < PAGE) break;
    }
  }
  if (forgotten > 0) log.info({ forgotten }, "forgot the views of jobs that ended long ago");
}
