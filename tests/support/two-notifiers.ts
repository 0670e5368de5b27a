import { type Bus, connectBus } from "@longhaul/bus";
import { createLogger, createMetrics, HealthRegistry, type Metrics } from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import { notifierConfig } from "../../services/notifier/src/config.ts";
import { startNotifier } from "../../services/notifier/src/service.ts";
import { type JobWriter, jobWriter } from "./job-writer.ts";
import { ACK_WAIT_MS, migrate } from "./migrated.ts";
import { ownDatabase } from "./own-database.ts";
import { startOwnServer } from "./own-server.ts";

/** Two notifiers, as in production, on servers that nobody else works with, and one who writes jobs. */
export type TwoNotifiers = {
  bus: Bus;
  store: Store;
  writer: JobWriter;
  metrics: readonly Metrics[];
  stop(): Promise<void>;
};

/** `settings`: as the configuration has them. `seenBy`: the store as a notifier is to see it. */
export async function startTwoNotifiers(
  settings: Record<string, string>,
  seenBy: (store: Store) => Store = (store) => store,
): Promise<TwoNotifiers> {
  const log = createLogger("test", "silent");
  const nats = await startOwnServer("nats");
  const database = ownDatabase();
  const config = notifierConfig.parse({
    ...{ natsUrl: nats.url, ackWaitMs: `${ACK_WAIT_MS}`, mongodbUrl: database.config.mongodbUrl },
    mongodbViewsDatabase: database.config.mongodbViewsDatabase,
    mongodbRecordsDatabase: database.config.mongodbRecordsDatabase,
    ...settings,
  });
  const connect = (name: string) => connectBus({ servers: [nats.url], name, log });
  const [bus, ...own] = [await connect("test"), await connect("notifier-1"), await connect("notifier-2")];
  await migrate(bus, config);
  const stopping = new AbortController();
  const notifiers = own.map((connection, i) => {
    const metrics = createMetrics(`notifier-${i + 1}`);
    const health = new HealthRegistry(metrics.registry);
    const store = seenBy(database.store);
    const { done } = startNotifier({
      ...{ config, bus: connection, store, log, metrics, health },
      signal: stopping.signal,
    });
    return { metrics, done };
  });
  return {
    bus,
    store: database.store,
    writer: jobWriter(bus),
    metrics: notifiers.map(({ metrics }) => metrics),
    async stop() {
      stopping.abort();
      await Promise.all(notifiers.map(({ done }) => done));
      for (const connection of [...own, bus]) await connection.close();
      await database.remove();
      await nats.remove();
    },
  };
}
