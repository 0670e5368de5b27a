import type { StoredMessage } from "@longhaul/bus";
import type { Standing } from "@longhaul/job";
import type { Views } from "../../services/processor/src/housekeeping/ports.ts";
import type { BusServer } from "./bus/bus-server.ts";
import type { Process } from "./kernel/process.ts";
import type { World } from "./world.ts";

/** The views: a copy of each job's newest record that lags behind, and now and then is away. */
export class ViewStore {
  readonly #world: World;
  readonly #views = new Map<string, StoredMessage>();

  constructor(world: World, server: BusServer) {
    this.#world = world;
    const prng = world.prng("projection");
    server.jobs.onStored(({ after }) => {
      world.scheduler.after(prng.magnitude(...world.options.views.lagMs), () => {
        if (after.seq > (this.#views.get(after.record.id)?.seq ?? 0)) this.#views.set(after.record.id, after);
      });
    });
  }

  /** As one process sees them. */
  client(process: Process): Views {
    const prng = this.#world.prng(`views of ${process.name}`);
    const answer = async <T>(what: () => T): Promise<T> => {
      await process.clock.sleep(prng.magnitude(1, 500));
      if (this.#world.strikes(prng, this.#world.options.views.away)) throw new ViewsAway();
      return what();
    };
    return {
      standing: (id) => answer((): Standing | null => this.#views.get(id)?.record ?? null),
      unfinished: ({ status, from, until, limit }) =>
        answer(() =>
          [...this.#views.values()]
            .flatMap(({ record }) => (record.status === status ? [record] : []))
            .map(({ id, updatedAt }) => ({ id, updatedAt: new Date(updatedAt) }))
            .filter(({ updatedAt }) => updatedAt >= from && updatedAt <= until)
            .sort((a, b) => a.updatedAt.getTime() - b.updatedAt.getTime())
            .slice(0, limit),
        ),
    };
  }
}

class ViewsAway extends Error {
  override readonly name = "StoreError";
}
