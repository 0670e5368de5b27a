import { type Bus, createJobStore, createWorkQueue, openBatches } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import type { Bucket as ResultBucket } from "@longhaul/objects";
import {
  Counter,
  type Logger,
  type Metrics,
  type Supervision,
  supervise,
  systemClock,
  systemRandom,
} from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import type { ProcessorConfig } from "./config.ts";
import { cleanupLoop } from "./housekeeping/cleanup-loop.ts";
import { OrphanSweep } from "./housekeeping/orphans.ts";
import type { Bucket, Items, Tally, Views } from "./housekeeping/ports.ts";
import { RequeueSweep } from "./housekeeping/requeue.ts";
import { sweepLoop } from "./housekeeping/sweep-loop.ts";

export type HousekeepingDeps = {
  config: Pick<ProcessorConfig, "busTimeoutMs" | "requeueIntervalMs" | "orphanIntervalMs" | "orphanAgeSeconds">;
  bus: Bus;
  results: ResultBucket;
  store: Store;
  log: Logger;
  metrics: Metrics;
  /** Asks the loops to return. */
  signal: AbortSignal;
};

/** Starts the loops that clean up after jobs and keep the queue complete. */
export function startHousekeeping({ config, bus, store, log, signal, ...deps }: HousekeepingDeps): Supervision {
  const chance = { clock: systemClock, random: systemRandom, log };
  const queue = createWorkQueue(bus, { ...chance, timeoutMs: config.busTimeoutMs });
  const items: Items = { put: (record) => queue.enqueue(record, null), removeAll: queue.removeItems };
  const world = {
    ...chance,
    jobs: createJobStore(bus, { ...chance, timeoutMs: config.busTimeoutMs }),
    views: viewsOf(store),
    items,
    bucket: bucketOf(deps.results),
    tally: createTally(deps.metrics),
  };
  const requeue = new RequeueSweep(world);
  const orphans = new OrphanSweep({ ...world, ageSeconds: config.orphanAgeSeconds });
  const loops = [
    cleanupLoop({ ...world, openReader: () => openBatches(bus, { durable: "cleanup", log }) }),
    sweepLoop({ ...chance, name: "requeue", intervalMs: config.requeueIntervalMs, round: (s) => requeue.round(s) }),
    sweepLoop({ ...chance, name: "orphans", intervalMs: config.orphanIntervalMs, round: (s) => orphans.round(s) }),
  ];
  return supervise(loops, { log, signal });
}

/** The views as housekeeping sees them. */
export function viewsOf({ views, unfinished }: Store): Views {
  return {
    async standing(id) {
      const view = await views.get(id);
      if (view === null) return null;
      return "erased" in view ? { status: "erased" } : view.record;
    },
    unfinished: unfinished.page,
  };
}

/** The bucket of results as housekeeping sees it. */
export function bucketOf(results: ResultBucket): Bucket {
  return {
    uploads: (prefix, options) => results.uploads.list(prefix, options),
    objects: (prefix, options) => results.list(prefix, options),
    abort: (upload, signal) => results.uploads.abort(upload, signal),
    delete: (key, signal) => results.delete(key, { signal }),
  };
}

function createTally({ registry }: Metrics): Tally {
  const registers = [registry];
  const removed = new Counter({
    name: METRICS.housekeepingRemoved,
    help: "Uploads, objects and work items that were removed because no job names them",
    labelNames: ["what", "by"],
    registers,
  });
  const requeued = new Counter({ name: METRICS.requeued, help: "Work items that had to be made again", registers });
  return {
    removed: (what, by, count) => removed.inc({ what, by }, count),
    requeued: () => requeued.inc(),
  };
}
