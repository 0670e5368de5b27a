import type { AddressInfo } from "node:net";
import {
  type Bus,
  busMigrations,
  type CoreMessages,
  connectBus,
  createCore,
  createDeadLetters,
  createJobStore,
  createWorkQueue,
  type JobStore,
} from "@longhaul/bus";
import { denyNoFile, type FileAuthorisation, userHash } from "@longhaul/job";
import { createObjects, type Objects } from "@longhaul/objects";
import {
  createLogger,
  createMetrics,
  HealthRegistry,
  loadConfig,
  type Metrics,
  supervise,
  systemClock,
  systemRandom,
} from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { buildGateway } from "../app.ts";
import { gatewayConfig } from "../config.ts";

/** Where the servers of a test are, and settings that differ from the defaults, by their variables. */
export type TestServers = {
  natsUrl: string;
  mongodbUrl: string;
  s3: { endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: string };
  env?: Record<string, string>;
  deniedFiles?: FileAuthorisation;
};

/** A listening gateway on real servers, and what a test needs to play the other services' part. */
export type TestGateway = {
  url: string;
  bus: Bus;
  jobs: JobStore;
  core: CoreMessages;
  store: Store;
  objects: Objects;
  metrics: Metrics;
  health: HealthRegistry;
  /** Ends in the order in which the service does. */
  close(): Promise<void>;
};

const BUS_SETTINGS = { replicas: 1, jobsMaxBytes: 256 * 1024 ** 2, ackWaitMs: 5000 } as const;

export async function startTestGateway({
  natsUrl,
  mongodbUrl,
  s3,
  env,
  deniedFiles = denyNoFile,
}: TestServers): Promise<TestGateway> {
  const config = loadConfig(gatewayConfig, {
    NATS_URL: natsUrl,
    MONGODB_URL: mongodbUrl,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    PORT: "0",
    ID_SECRET: "a secret for tests only",
    ...env,
  });
  const log = createLogger("gateway", config.logLevel === "info" ? "silent" : config.logLevel);
  const stopping = new AbortController();
  const bus = await connectBus({ servers: config.natsUrl, name: "gateway-test", log });
  for (const migration of busMigrations) await migration.up(bus, BUS_SETTINGS);
  const limits = { clock: systemClock, random: systemRandom, log, timeoutMs: config.busTimeoutMs };
  const metrics = createMetrics("gateway");
  const health = new HealthRegistry(metrics.registry);
  health.phase = "ready";
  const [store, objects] = [connectStore(config, log), createObjects(config)];
  const [jobs, core, work] = [createJobStore(bus, limits), createCore(bus, log), createWorkQueue(bus, limits)];
  const world = { clock: systemClock, random: systemRandom, log };
  const records = store.records(config.mongodbRecordsDatabase);
  const deadLetters = { views: store.deadLetters, messages: createDeadLetters(bus, limits) };
  const parts = {
    config,
    bus,
    jobs,
    work,
    core,
    views: store.views,
    records,
    deadLetters,
    objects,
    deniedFiles,
    health,
    metrics,
    ...world,
  };
  const gateway = await buildGateway(parts);
  const loops = supervise(gateway.loops, { log, signal: stopping.signal });
  await gateway.app.listen({ host: config.host, port: config.port });
  const { port } = gateway.app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bus,
    jobs,
    core,
    store,
    objects,
    metrics,
    health,
    async close() {
      health.phase = "draining";
      stopping.abort();
      await gateway.app.close();
      await loops.done;
      await work.flush(5000);
      objects.close();
      await store.close();
      await bus.close();
    },
  };
}

/** Does what a notifier does for sockets: pushes each stored write to whoever watches the job. */
export function pushStoredWrites({ core }: Pick<TestGateway, "core">): void {
  core.subscribeStored("*", (stored) => {
    const { record } = stored;
    const hash = record.status === "erased" ? record.userHash : userHash(record.tenant, record.user);
    core.pushStored(hash, stored);
  });
}
