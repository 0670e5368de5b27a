import { assertTopology, connectBus, watchBus } from "@longhaul/bus";
import { runService } from "@longhaul/runtime";
import { connectStore, StoreError } from "@longhaul/store";
import { notifierConfig } from "./config.ts";
import { startNotifier } from "./service.ts";

await runService("notifier", notifierConfig, async ({ config, log, metrics, health, releasers, signal, step }) => {
  const bus = await step("connect to NATS", () =>
    connectBus({
      servers: config.natsUrl,
      name: "longhaul-notifier",
      credsFile: config.natsCredsFile,
      caFile: config.natsCaFile,
      log,
    }),
  );
  // Closed last, and drained: until then pushes go on.
  releasers.defer("the connection to NATS", () => bus.close());
  await step("check the streams", () => assertTopology(bus, config));

  const store = connectStore(config, log);
  releasers.defer("the connections to MongoDB", () => store.close());
  await step("check the indexes", async () => {
    try {
      await store.views.assertIndexes();
      await store.records(config.mongodbRecordsDatabase).assertIndexes();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      log.warn({ err: error }, "MongoDB is away: pushes begin now, the views follow when it is back");
    }
  });

  await watchBus(bus, health);
  await health.watch("mongodb", { critical: false, ping: () => store.ping() });

  const notifier = startNotifier({ config, bus, store, log, metrics, health, signal });
  releasers.defer("the loops", () => notifier.done);
});
