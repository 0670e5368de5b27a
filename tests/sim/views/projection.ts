import { traceIdOf } from "@longhaul/runtime";
import { viewOf } from "../../../libs/store/src/view.ts";
import type { BusServer } from "../bus/bus-server.ts";
import type { World } from "../world.ts";
import type { ViewServer } from "./view-server.ts";

/** Each stored write reaches the views, each after a time of its own: late, and not in their order. */
export function project(world: World, server: BusServer, views: ViewServer): void {
  const prng = world.prng("projection");
  const { views: how, retention } = world.options;
  server.jobs.onStored(({ after: { record, seq, traceparent } }) => {
    const view = viewOf(record, seq, traceIdOf(traceparent) ?? "", retention.tombstoneSeconds);
    world.scheduler.after(prng.magnitude(...how.lagMs), () => views.upsert(view));
  });
}
