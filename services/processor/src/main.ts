import { hostname } from "node:os";
import { assertTopology, connectBus, watchBus } from "@longhaul/bus";
import { denyNoFile } from "@longhaul/job";
import { createObjects } from "@longhaul/objects";
import { runService } from "@longhaul/runtime";
import { connectStore } from "@longhaul/store";
import { processorConfig } from "./config.ts";
import { startProcessor } from "./service.ts";

await runService("processor", processorConfig, async ({ config, log, metrics, health, releasers, step }) => {
  const bus = await step("connect to NATS", () =>
    connectBus({
      servers: config.natsUrl,
      name: "longhaul-processor",
      credsFile: config.natsCredsFile,
      caFile: config.natsCaFile,
      log,
    }),
  );
  releasers.defer("the connection to NATS", () => bus.close());
  await step("check the streams", () => assertTopology(bus, config));

  const objects = createObjects(config, config);
  releasers.defer("the connections to S3", () => objects.close());

  const store = connectStore(config, log);
  releasers.defer("the connections to MongoDB", () => store.close());

  await watchBus(bus, health);
  const { results, source, isOneStore } = objects;
  await health.watch("s3", { critical: true, ping: (signal) => results.ping(signal) });
  const isOneBucket = isOneStore && source.name === results.name;
  if (!isOneBucket) await health.watch("source_s3", { critical: true, ping: (signal) => source.ping(signal) });
  await health.watch("mongodb", { critical: false, ping: () => store.ping() });

  const workerName = `${hostname()}-${process.pid}`;
  const processor = startProcessor({
    config,
    bus,
    objects,
    store,
    deniedFiles: denyNoFile,
    log,
    metrics,
    health,
    workerName,
  });
  releasers.defer("the running jobs", () => processor.stop());
});
