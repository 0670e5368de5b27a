import { type Bus, connectBus, createCore } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import { createLogger, createMetrics, HealthRegistry, inParallel, type Metrics } from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobWriter, type Written } from "../../../tests/support/job-writer.ts";
import { ACK_WAIT_MS, migrate } from "../../../tests/support/migrated.ts";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";
import { type NotifierConfig, notifierConfig } from "./config.ts";
import { startNotifier } from "./service.ts";

const log = createLogger("test", "silent");
const metrics = createMetrics("notifier");
const health = new HealthRegistry(metrics.registry);
let config: NotifierConfig;
let nats: OwnServer;
let mongodb: OwnServer;
let bus: Bus;
let store: Store;
let stop: () => Promise<void>;

beforeAll(async () => {
  [nats, mongodb] = await Promise.all([startOwnServer("nats"), startOwnServer("mongodb")]);
  config = notifierConfig.parse({
    natsUrl: nats.url,
    mongodbUrl: mongodb.url,
    mongodbTimeoutMs: "3000",
    projectorBatch: "50",
    ackWaitMs: `${ACK_WAIT_MS}`,
    projectorPauseMs: "100",
  });
  bus = await connectBus({ servers: [nats.url], name: "notifier", log });
  await migrate(bus, config);
  store = connectStore(config, log);
  await health.watch("mongodb", { critical: false, ping: () => store.ping() });
  health.phase = "ready";
  stop = start(metrics, health);
});

function start(metrics: Metrics, health: HealthRegistry): () => Promise<void> {
  const stopping = new AbortController();
  const { done } = startNotifier({ config, bus, store, log, metrics, health, signal: stopping.signal });
  return async () => {
    stopping.abort();
    await done;
  };
}

afterAll(async () => {
  await stop();
  await store.close();
  await bus.close();
  await nats.remove();
  await mongodb.remove();
});

const readiness = () => health.ready().body.status;
const lagSeconds = async () => (await metrics.registry.getSingleMetric(METRICS.projectionLag)?.get())?.values[0]?.value;

test("while MongoDB is away pushes go on and messages are kept; when it is back every view is there", async () => {
  const writer = jobWriter(bus);
  const core = createCore(bus, log);
  const pushed = new Set<number>();
  const written: Written[] = [];
  const early = await writer.create();
  await until("a view", async () => (await store.views.get(early.id))?.seq === early.seq);
  expect(readiness()).toBe("ready");

  const work = inParallel(Array(80).keys(), 8, async () => {
    const created = await writer.create();
    const subscription = core.subscribePush(
      created.id,
      (push) => push.kind === "stored" && pushed.add(push.stored.seq),
    );
    const ended = await writer.complete(await writer.claim(created));
    written.push(ended);
    await until(`the push of ${ended.id}`, () => pushed.has(ended.seq));
    subscription.close();
  });
  await mongodb.kill();
  await work;
  const late = await writer.create();
  await until("degraded", () => readiness() === "degraded");
  await until("a lag that grows", async () => ((await lagSeconds()) ?? 0) > ACK_WAIT_MS / 1000);
  expect(health.live().httpStatus).toBe(200);
  expect(health.ready().httpStatus).toBe(200);

  await mongodb.restart();

  for (const { id, seq } of [...written, late]) {
    await until(`the view of ${id}`, async () => (await store.views.get(id).catch(() => null))?.seq === seq);
  }
  await until("ready again", () => readiness() === "ready");
  await until("no lag", async () => (await lagSeconds()) === 0);
});

test("what a notifier has in hand when it is stopped, and cannot store, is taken up by the next one", async () => {
  const writer = jobWriter(bus);
  await mongodb.kill();
  const created = await writer.create();
  await until("a write in hand", async () => ((await lagSeconds()) ?? 0) > 0);

  await stop();
  const next = createMetrics("notifier");
  stop = start(next, new HealthRegistry(next.registry));
  await mongodb.restart();

  await until("the view", async () => (await store.views.get(created.id).catch(() => null))?.seq === created.seq);
});
