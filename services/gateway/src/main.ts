import {
  assertTopology,
  connectBus,
  createCore,
  createDeadLetters,
  createJobStore,
  createWorkQueue,
  watchBus,
} from "@longhaul/bus";
import { denyNoFile } from "@longhaul/job";
import { createObjects } from "@longhaul/objects";
import { BootError, runService, type ServiceContext, supervise, systemClock, systemRandom } from "@longhaul/runtime";
import { connectStore } from "@longhaul/store";
import { buildGateway } from "./app.ts";
import { type GatewayConfig, gatewayConfig } from "./config.ts";
import type { App } from "./plugins/app.ts";

await runService("gateway", gatewayConfig, async (context: ServiceContext<GatewayConfig>) => {
  const { config, log, metrics, health, releasers, signal, step } = context;

  const bus = await step("connect to NATS", () =>
    connectBus({
      servers: config.natsUrl,
      name: "longhaul-gateway",
      credsFile: config.natsCredsFile,
      caFile: config.natsCaFile,
      log,
    }),
  );
  releasers.defer("the connection to NATS", () => bus.close());
  await step("check the streams", () => assertTopology(bus, { ackWaitMs: config.ackWaitMs }));

  const store = connectStore(config, log);
  releasers.defer("the connection to MongoDB", () => store.close());
  const objects = createObjects(config);
  releasers.defer("the connections to S3", () => objects.close());
  const { results, source, isOneStore } = objects;
  const isOneBucket = isOneStore && source.name === results.name;
  await step("look at the servers", () =>
    Promise.all([
      watchBus(bus, health),
      health.watch("mongodb", { critical: false, ping: () => store.ping() }),
      health.watch("s3", { critical: false, ping: (stopped) => results.ping(stopped) }),
      isOneBucket || health.watch("source_s3", { critical: false, ping: (stopped) => source.ping(stopped) }),
    ]),
  );

  const limits = { clock: systemClock, random: systemRandom, log, timeoutMs: config.busTimeoutMs };
  const work = createWorkQueue(bus, limits);
  releasers.defer("the work items on their way", () => work.flush(config.shutdownGraceMs / 2));
  const gateway = await buildGateway({
    config,
    bus,
    jobs: createJobStore(bus, limits),
    work,
    core: createCore(bus, log),
    views: store.views,
    records: store.records(config.mongodbRecordsDatabase),
    deadLetters: { views: store.deadLetters, messages: createDeadLetters(bus, limits) },
    objects,
    deniedFiles: denyNoFile,
    health,
    metrics,
    log,
    clock: systemClock,
    random: systemRandom,
  });
  const loops = supervise(gateway.loops, { log, signal });
  health.watchLoops(loops.health);
  releasers.defer("the loops", () => loops.done);
  releasers.defer("the HTTP server", () => gateway.app.close());
  await listen(gateway.app, config);
});

async function listen(app: App, { host, port }: GatewayConfig): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new BootError(
      `The gateway cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : error}. ` +
        "Stop what uses that port, or choose another HOST or PORT.",
      { code: "PORT_UNAVAILABLE", cause: error },
    );
  }
}
