import { workSubject } from "@longhaul/contracts";
import type { Scene } from "../scene.ts";
import type { Promises } from "./promises.ts";

const INTERVAL_MS = 30_000;
/** Who wrote a record has put its item after this time, or has died. */
const PATIENCE_MS = 10 * 60_000;

/**
 * Stands in for the real requeue sweep, and does less: it makes the items that are missing because a gateway died
 * or never learned whether its write was stored. Any other missing item is a broken promise.
 */
export function planRequeueSweep({ world, server }: Scene, promises: Promises): void {
  const sweep = () => {
    for (const { record } of server.jobs.all()) {
      if (record.status !== "queued" && record.status !== "running") continue;
      const { id, generation, spec } = record;
      if (server.work.all().some(({ item }) => item.id === id && item.generation === generation)) continue;
      if (promises.mayMissItem(id)) {
        world.statistics.count("items made by the sweep");
        const subject = workSubject({ class: spec.class, lane: spec.lane, id, generation });
        world.log.add(id, `sweep    puts item ${server.work.put(subject, { id, generation, known: null })}`);
      } else if (world.now > world.options.faultsEndMs + PATIENCE_MS) {
        world.violate(`a ${record.status} job has no work item, and no gateway died that could be to blame`, id);
      }
    }
    world.scheduler.after(INTERVAL_MS, sweep);
  };
  world.scheduler.after(world.options.faultsEndMs + INTERVAL_MS, sweep);
}
