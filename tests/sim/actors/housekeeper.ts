import type { StoredMessage } from "@longhaul/bus";
import { isUnfinished } from "@longhaul/job";
import type { Logger, Loop } from "@longhaul/runtime";
import { cleanupLoop } from "../../../services/processor/src/housekeeping/cleanup-loop.ts";
import { OrphanSweep } from "../../../services/processor/src/housekeeping/orphans.ts";
import type { Bucket } from "../../../services/processor/src/housekeeping/ports.ts";
import { RequeueSweep } from "../../../services/processor/src/housekeeping/requeue.ts";
import { sweepLoop } from "../../../services/processor/src/housekeeping/sweep-loop.ts";
import type { BusClient } from "../bus/bus-client.ts";
import { namesObject, standingOf } from "../checks/named.ts";
import { withItem } from "../kernel/in-hand.ts";
import { keepUp } from "../kernel/keep-up.ts";
import { createHousekeepingBucket } from "../objects/housekeeping-bucket.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import { createViewClient } from "../views/view-client.ts";

/** What housekeeping reads says nothing to the runs of its process. */
const NO_ITEM = -1;

/** The housekeeping of one processor: the real cleanup and sweeps, until the signal or the death of the process. */
export function keepHouse(bus: BusClient, scene: Scene, log: Logger, signal: AbortSignal): void {
  const { world, views, cleanup } = scene;
  const { pace } = world.options;
  const { process } = bus.connection;
  const { clock, random } = process;
  const tally = {
    removed: (what: string, by: string, count: number) => world.statistics.count(`${what}s removed by ${by}`, count),
    requeued: () => world.statistics.count("items made by the sweep"),
  };
  const bucket = createHousekeepingBucket(process, scene);
  const items = {
    put: (record: Parameters<BusClient["enqueue"]>[0]) => bus.enqueue(record, null),
    removeAll: (id: string) => bus.removeItems(id),
  };
  const deps = {
    jobs: { newest: (id: string) => bus.newest(id) },
    views: createViewClient(process, views, world).housekeeping,
    items,
    tally,
  };
  const shared = { ...deps, bucket, clock, random, log };
  const aborted = new Aborted(scene);
  const requeue = new RequeueSweep(shared);
  const orphans = new OrphanSweep({ ...shared, ageSeconds: pace.orphanAgeSeconds });
  const sweep = (name: string, intervalMs: number, round: (s: AbortSignal) => Promise<void>) =>
    sweepLoop({ name, intervalMs, round, clock, random, log });
  const loops: Loop[] = [
    cleanupLoop({
      ...shared,
      bucket: aborted.noting(bucket),
      openReader: () => cleanup.reader(bus.connection, (done) => aborted.done(done)),
    }),
    sweep("orphans", pace.orphansMs, (s) => orphans.round(s)),
    ...(world.options.requeueSweep ? [sweep("requeue", pace.requeueMs, (s) => requeue.round(s))] : []),
  ];
  for (const loop of loops) process.run(() => void withItem(NO_ITEM, () => keepUp(loop, clock, log, signal)));
}

/** When cleanup says that it is done with a job, nothing is left of the uploads that it aborted. */
class Aborted {
  readonly #scene: Scene;
  readonly #keys = new Map<string, Set<string>>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  noting(bucket: Bucket): Bucket {
    return {
      ...bucket,
      abort: async (upload, signal) => {
        await bucket.abort(upload, signal);
        const job = jobOf(upload.key) ?? "";
        this.#keys.set(job, (this.#keys.get(job) ?? new Set()).add(upload.key));
      },
    };
  }

  done(messages: readonly StoredMessage[]): void {
    const { world, server, store } = this.#scene;
    for (const { record, seq } of messages) {
      const keys = this.#keys.get(record.id) ?? [];
      this.#keys.delete(record.id);
      // A job that goes on meanwhile is cleaned up after at its next end.
      if ((server.jobs.newest(record.id)?.seq ?? seq) !== seq || isUnfinished(record.status)) continue;
      for (const key of keys) {
        if (store.objects.has(key) && !namesObject(standingOf(this.#scene, record.id), key))
          world.violate("cleanup is done, and the object of an upload that it aborted is there", record.id);
      }
    }
  }
}
