import { connectBus, createJobStore, type Stored } from "@longhaul/bus";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { connectStore } from "@longhaul/store";
import type { RunFile } from "../../deploy/local/src/stack/run-file.ts";

/** The MongoDB view and the JetStream record of each job, side by side, with their sequences. */
export type BothSides = {
  views: Map<string, Pick<Stored, "seq" | "record">>;
  records: Map<string, Pick<Stored, "seq" | "record">>;
};

const PAGE = 100;

export async function readBothSides(run: RunFile, ids: readonly string[]): Promise<BothSides> {
  const log = createLogger("test", "error");
  const bus = await connectBus({ servers: [run.nats.url], name: "test-views", log });
  const store = connectStore(
    {
      mongodbUrl: run.mongodb.url,
      mongodbViewsDatabase: run.mongodb.viewsDatabase,
      mongodbTimeoutMs: 10_000,
      mongodbMaxPoolSize: 10,
    },
    log,
  );
  try {
    const jobs = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 5_000 });
    const records: BothSides["records"] = new Map();
    const views: BothSides["views"] = new Map();
    for (let i = 0; i < ids.length; i += PAGE) {
      const page = ids.slice(i, i + PAGE);
      for (const { seq, record } of await jobs.newestOf(page)) records.set(record.id, { seq, record });
      for (const view of await Promise.all(page.map((id) => store.views.get(id)))) {
        if (view && "record" in view) views.set(view._id, { seq: view.seq, record: view.record });
      }
    }
    return { views, records };
  } finally {
    await store.close();
    await bus.close();
  }
}
