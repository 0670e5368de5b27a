import { type EndingViews, StoreError, type View } from "@longhaul/store";
import type { Views } from "../../../services/processor/src/housekeeping/ports.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { ViewServer } from "./view-server.ts";

const ANSWER_MS: [number, number] = [1, 500];

/** The views as one process sees them. Every call rejects with a StoreError while they are away. */
export type ViewClient = { get(id: string): Promise<View | null>; ending: EndingViews; housekeeping: Views };

/** The way of one process to the views: slow, now and then away, a write's answer sometimes lost. */
export function createViewClient(process: Process, server: ViewServer, world: World): ViewClient {
  const prng = world.prng(`views of ${process.name}`);
  const { away } = world.options.views;
  const call = async <T>(what: () => T): Promise<T> => {
    await process.clock.sleep(prng.magnitude(...ANSWER_MS));
    if (!world.strikes(prng, away)) return what();
    if (prng.chance(0.5)) what();
    world.statistics.count("times the views were away");
    throw new StoreError("TIMEOUT", "MongoDB did not answer in time.");
  };
  const get = (id: string) => call(() => server.get(id));
  return {
    get,
    ending: {
      due: (now, limit, after) => call(() => server.due(now, limit, after)),
      writtenUntil: (status, until, limit) => call(() => server.writtenUntil(status, until, limit)),
      bury: (found, until) => call(() => server.bury(found, until)),
    },
    housekeeping: {
      async standing(id) {
        const view = await get(id);
        if (view === null) return null;
        return "erased" in view ? { status: "erased" } : view.record;
      },
      unfinished: (page) => call(() => server.unfinished(page)),
    },
  };
}
