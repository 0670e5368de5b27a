import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connectBus } from "@longhaul/bus";
import { type JobRecord, METRICS } from "@longhaul/contracts";
import { denyNoFile } from "@longhaul/job";
import { createObjects, type Objects } from "@longhaul/objects";
import { createLogger, createMetrics, HealthRegistry, loadConfig } from "@longhaul/runtime";
import { connectStore } from "@longhaul/store";
import { afterAll, afterEach, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { s3Variables } from "../../../deploy/local/src/stack/environment.ts";
import { specOf } from "../../../libs/job/src/testing/index.ts";
import { type StoreProxy, startStoreProxy } from "../../../tests/chaos/store-proxy.ts";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";
import { ACK_WAIT_MS, startWorkerBench, type WorkerBench } from "../../../tests/support/worker-bench.ts";
import { processorConfig } from "./config.ts";
import { startProcessor } from "./service.ts";

const JOBS = 8;
const RESET_MS = 2_000;
const FILE_IDS = [70_001, 70_002];
const log = createLogger("test", "silent");
const folder = `breakers-${randomUUID().slice(0, 8)}`;

let nats: OwnServer;
let bench: WorkerBench;
let proxy: StoreProxy;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  bench = await startWorkerBench({ url: nats.url, replicas: 1 });
  proxy = await startStoreProxy(inject("s3").endpoint);
  const objects = createObjects(configOf());
  for (const fileId of FILE_IDS) {
    const body = Buffer.alloc(1_000, 1);
    await objects.source.put(`${folder}/${fileId}`, body, { sizeBytes: body.length, contentType: "text/plain" });
  }
  objects.close();
});
afterEach(() => {
  proxy.heal();
});
afterAll(async () => {
  await proxy?.close();
  await bench?.remove();
  await nats?.remove();
});

function configOf(more: Record<string, string> = {}) {
  return loadConfig(processorConfig, {
    NATS_URL: nats.url,
    // Nobody listens there: jobs need no views.
    MONGODB_URL: "mongodb://127.0.0.1:9",
    ...s3Variables({ ...inject("s3"), endpoint: proxy.url }),
    S3_CALL_TIMEOUT_MS: "2000",
    SOURCE_KEY_TEMPLATE: `${folder}/{file_id}`,
    ACK_WAIT_MS: `${ACK_WAIT_MS}`,
    RETRY_BASE_MS: "100",
    BREAKER_MIN_CALLS: "4",
    BREAKER_RESET_MS: `${RESET_MS}`,
    ...more,
  });
}

type Started = {
  objects: Objects;
  health: HealthRegistry;
  metrics: ReturnType<typeof createMetrics>;
  stop(): Promise<void>;
};

async function start(more: Record<string, string> = {}): Promise<Started> {
  const config = configOf(more);
  const own = await connectBus({ servers: [nats.url], name: "processor", log });
  const objects = createObjects(config, config);
  const store = connectStore(config, log);
  const metrics = createMetrics("processor");
  const health = new HealthRegistry(metrics.registry);
  await health.watch("s3", { critical: true, ping: (signal) => objects.results.ping(signal) });
  const deps = { config, bus: own, objects, store, deniedFiles: denyNoFile, log, metrics, health };
  const processor = startProcessor({ ...deps, workerName: "test-1" });
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= processor.stop());
  onTestFinished(async () => {
    await stop();
    objects.close();
    await store.close();
    await own.close();
  });
  return { objects, health, metrics, stop };
}

/** Creates a job that makes an archive of two files. */
const create = () => bench.create({ spec: specOf({ fileIds: FILE_IDS, archive: "zip" }) });
const createMany = (count: number) => Promise.all(Array.from({ length: count }, create));
const recordOf = (id: string) => bench.record(id);
const waits = async (id: string, phase: JobRecord["progress"]["phase"]) =>
  (await recordOf(id)).progress.phase === phase;
const allWait = async (ids: readonly string[], phase: JobRecord["progress"]["phase"]) =>
  (await Promise.all(ids.map((id) => waits(id, phase)))).every(Boolean);
const areCompleted = async (ids: readonly string[]) =>
  (await Promise.all(ids.map(recordOf))).every(({ status }) => status === "completed");
const eventsOf = ({ timeline }: JobRecord, event: string) => timeline.filter((entry) => entry.event === event).length;

/** Resolves when that many probes have failed: from one to the next the time that is left goes down, and then up again. */
async function probesFail({ objects }: Started, count: number): Promise<void> {
  let last = Number.POSITIVE_INFINITY;
  let failed = -1;
  await until(
    `${count} failed probes`,
    () => {
      const left = objects.results.breaker?.retryAfterMs ?? 0;
      if (left > last || last === Number.POSITIVE_INFINITY) failed++;
      last = left;
      return failed >= count;
    },
    60_000,
  );
}

const isOpen = (worker: Started) => until("the breaker to open", () => worker.objects.results.breaker?.isOpen);
const openGauge = async ({ metrics }: Started) =>
  (await metrics.registry.getSingleMetric(METRICS.breakerOpen)?.get())?.values.map(({ value }) => value);

test.each(["503", "hanging"] as const)(
  "while the store is away (%s) jobs wait and no work is pulled; when it is back all are done",
  async (trouble) => {
    proxy.spoil("any", trouble);
    const worker = await start();
    const ids = await createMany(JOBS);
    await isOpen(worker);
    await until("the jobs to wait", () => allWait(ids, "waiting_for_storage"), 60_000);
    const before = await Promise.all(ids.map(recordOf));
    expect(before.filter(({ failures }) => failures === 0).length).toBeGreaterThan(0);
    for (const { status, retryAt, run } of before)
      expect({ status, run, at: typeof retryAt }).toEqual({ status: "queued", run: null, at: "string" });
    expect(worker.health.checks().s3?.status).toBe("down");
    expect(await openGauge(worker)).toEqual([1]);

    const late = await create();
    await probesFail(worker, 2);
    expect(eventsOf(await recordOf(late), "started")).toBe(0);

    proxy.heal();
    await until("all of them to be done", () => areCompleted([...ids, late]), 60_000);
    const after = await Promise.all(ids.map(recordOf));
    expect(after.map(({ failures }) => failures)).toEqual(before.map(({ failures }) => failures));
    expect(worker.health.checks().s3?.status).toBe("up");
    expect(await openGauge(worker)).toEqual([0]);
  },
  120_000,
);

test("a job that waits can be paused, resumed and cancelled", async () => {
  proxy.spoil("any", "503");
  const worker = await start();
  const ids = await createMany(4);
  const [paused = "", resumed = "", cancelled = "", left = ""] = ids;
  await until("the jobs to wait", () => allWait(ids, "waiting_for_storage"), 60_000);
  for (const id of [paused, resumed]) await bench.command(id, "pause");
  await bench.command(resumed, "resume");
  await bench.command(cancelled, "cancel");
  proxy.heal();
  await until("the others to be done", () => areCompleted([resumed, left]), 60_000);
  expect((await recordOf(paused)).status).toBe("paused");
  expect((await recordOf(cancelled)).status).toBe("cancelled");
  await worker.stop();
}, 120_000);

test("what a deleted job leaves while the store is away is removed when it is back", async () => {
  const worker = await start();
  const id = await create();
  await until("it to be done", () => areCompleted([id]), 60_000);
  const key = (await recordOf(id)).result?.key ?? "";
  const { results, close } = createObjects({ ...configOf(), s3Endpoint: inject("s3").endpoint });
  onTestFinished(close);
  proxy.spoil("any", "503");
  await createMany(4);
  await isOpen(worker);
  await bench.command(id, "erase");
  await probesFail(worker, 1);
  expect(await results.head(key)).not.toBeNull();
  proxy.heal();
  await until("it to be gone", async () => (await results.head(key)) === null, 60_000);
}, 120_000);

test("a store of which one operation hangs lets go of its jobs when the process stops", async () => {
  proxy.spoil("any", "hanging");
  const worker = await start({ S3_CALL_TIMEOUT_MS: "60000", BREAKER_MIN_CALLS: "1000" });
  const ids = await createMany(4);
  await until("the jobs to run", async () => (await Promise.all(ids.map(recordOf))).every(({ run }) => run !== null));
  const startedAt = performance.now();
  await worker.stop();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  for (const id of ids) expect(await recordOf(id)).toMatchObject({ status: "queued", run: null, failures: 0 });
}, 60_000);

test("a process that stops while the breaker is open ends in time", async () => {
  proxy.spoil("any", "503");
  const worker = await start({ BREAKER_RESET_MS: "600000" });
  const ids = await createMany(4);
  await until("the jobs to wait", () => allWait(ids, "waiting_for_storage"), 60_000);
  const startedAt = performance.now();
  await worker.stop();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
}, 60_000);

test("a source at another endpoint holds up its own jobs, and pulling goes on", async () => {
  proxy.spoil("any", "503");
  const worker = await start({ S3_ENDPOINT: inject("s3").endpoint, SOURCE_S3_ENDPOINT: proxy.url });
  const ofSource = () => worker.health.checks().source_s3?.status;
  expect(ofSource()).toBe("up");
  const ids = await createMany(JOBS);
  await until("the source's breaker to open", () => worker.objects.source.breaker?.isOpen);
  await until("the jobs to wait", () => allWait(ids, "waiting_for_source"), 60_000);
  expect(worker.objects.results.breaker?.isOpen).toBe(false);
  expect([worker.health.checks().s3?.status, ofSource()]).toEqual(["up", "down"]);
  const late = await create();
  await until("one more to be taken, and to wait", () => waits(late, "waiting_for_source"));
  expect((await recordOf(late)).failures).toBe(0);
  proxy.heal();
  await until("all of them to be done", () => areCompleted([...ids, late]), 60_000);
  expect(ofSource()).toBe("up");
}, 120_000);

test("a source that asks for a long wait gets it, for one try, and is not asked meanwhile", async () => {
  let asked = 0;
  const busy = createServer((_, answer) => {
    asked++;
    answer.writeHead(429, { "retry-after": "300" }).end();
  }).listen(0, "127.0.0.1");
  await once(busy, "listening");
  onTestFinished(() => void busy.close());
  const endpoint = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
  await start({
    S3_ENDPOINT: inject("s3").endpoint,
    SOURCE_S3_ENDPOINT: endpoint,
    BREAKER_MIN_CALLS: "1000",
  });
  const id = await create();
  await until("it to wait", () => waits(id, "retry_wait"));
  const { failures, retryAt, updatedAt, error } = await recordOf(id);
  expect({ failures, code: error?.code }).toEqual({ failures: 1, code: "SOURCE_RATE_LIMITED" });
  const waitMs = Date.parse(retryAt ?? "") - Date.parse(updatedAt);
  expect(waitMs).toBeGreaterThanOrEqual(299_000);
  expect(waitMs).toBeLessThanOrEqual(361_000);
  expect(asked).toBeLessThanOrEqual(FILE_IDS.length);
}, 60_000);
