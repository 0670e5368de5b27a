import { randomUUID } from "node:crypto";
import { type Bus, connectBus, createCore, type PushMessage } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import { userHash } from "@longhaul/job";
import { createLogger, createMetrics, HealthRegistry, inParallel, type Metrics } from "@longhaul/runtime";
import { connectStore, type JobView, type Store, type View } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type JobWriter, jobWriter, type Written } from "../../../tests/support/job-writer.ts";
import { ACK_WAIT_MS, migrate } from "../../../tests/support/migrated.ts";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";
import { type NotifierConfig, notifierConfig } from "./config.ts";
import { startNotifier } from "./service.ts";

const log = createLogger("test", "silent");
const stopping = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
const notifiers: { metrics: Metrics; viewsSent: () => number }[] = [];
let nats: OwnServer;
let config: NotifierConfig;
let bus: Bus;
let store: Store;
let writer: JobWriter;

/** A store that counts the views it is given. */
function counted(inner: Store): { store: Store; viewsSent: () => number } {
  let sent = 0;
  const upsertMany = (views: readonly View[]) => {
    sent += views.length;
    return inner.views.upsertMany(views);
  };
  return { store: { ...inner, views: { ...inner.views, upsertMany } }, viewsSent: () => sent };
}

async function connect(name: string): Promise<Bus> {
  const connection = await connectBus({ servers: [nats.url], name, log });
  closers.push(() => connection.close());
  return connection;
}

beforeAll(async () => {
  nats = await startOwnServer("nats");
  config = notifierConfig.parse({
    natsUrl: nats.url,
    mongodbUrl: inject("mongodbUrl"),
    mongodbViewsDatabase: `notifier_${randomUUID().slice(0, 8)}`,
    ackWaitMs: `${ACK_WAIT_MS}`,
    projectorBatch: "50",
    projectorPauseMs: "200",
    progressWriteIntervalMs: "100",
  });
  bus = await connect("test");
  store = connectStore(config, log);
  await migrate(bus, config);
  writer = jobWriter(bus);
  // Two, as in production: they share the consumer and the queue group.
  for (const name of ["notifier-1", "notifier-2"]) {
    const metrics = createMetrics(name);
    const health = new HealthRegistry(metrics.registry);
    const own = counted(store);
    const { done } = startNotifier({
      config,
      bus: await connect(name),
      store: own.store,
      log,
      metrics,
      health,
      signal: stopping.signal,
    });
    closers.push(() => done);
    notifiers.push({ metrics, viewsSent: own.viewsSent });
  }
});

afterAll(async () => {
  stopping.abort();
  for (const close of closers.reverse()) await close();
  await store.close();
  const client = new MongoClient(config.mongodbUrl);
  await client.db(config.mongodbViewsDatabase).dropDatabase();
  await client.close();
  await nats.remove();
});

async function viewOfWrite({ id, seq }: { id: string; seq: number }): Promise<View> {
  return await until(`the view of write ${seq} of ${id}`, async () => {
    const view = await store.views.get(id);
    return view?.seq === seq && view;
  });
}

type Sample = { value: number; metricName?: string };

/** What both notifiers have counted together. */
async function count(metric: string): Promise<number> {
  const samples = notifiers.map(async ({ metrics }): Promise<Sample[]> => {
    const found = await metrics.registry.getSingleMetric(metric)?.get();
    return found?.values ?? [];
  });
  return (await Promise.all(samples))
    .flat()
    .filter(({ metricName }) => metricName === undefined || metricName === metric || metricName.endsWith("_count"))
    .reduce((sum, { value }) => sum + value, 0);
}

test("each stored write is pushed to the user's subject and appears in the view, with its sequence", async () => {
  const core = createCore(bus, log);
  const user = `user ${randomUUID()}`;
  const created = await writer.create(user);
  const pushed: PushMessage[] = [];
  const subscription = core.subscribePush(created.id, (message) => pushed.push(message));
  await bus.ping(1000);

  const claimed = await writer.claim(created);
  const ended = await writer.complete(claimed);

  const seqs = () => pushed.map((push) => (push.kind === "stored" ? push.stored.seq : 0));
  await until("both pushes", () => [claimed.seq, ended.seq].every((seq) => seqs().includes(seq)));
  expect(await viewOfWrite(ended)).toMatchObject({ owner: `acme/${user}`, status: "completed", record: ended.record });
  expect((await viewOfWrite(ended)) as JobView).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", n: 0 });
  subscription.close();
});

test("progress is pushed as it comes, and the newest of it is written to the view of its write", async () => {
  const core = createCore(bus, log);
  const running = await writer.claim(await writer.create());
  await viewOfWrite(running);
  const pushed: PushMessage[] = [];
  const subscription = core.subscribePush(running.id, (message) => pushed.push(message));
  await bus.ping(1000);
  const { record, seq, id } = running;
  const hash = userHash(record.tenant, record.user);

  for (let n = 1; n <= 20; n++) {
    const progress = { ...record.progress, bytesDone: n * 100 };
    core.publishProgress(id, { userHash: hash, seq, n, progress }, record.traceparent);
  }

  await until("every push", () => pushed.length === 20);
  const view = await until("the last progress", async () => {
    const found = (await store.views.get(id)) as JobView;
    return found.n === 20 && found;
  });
  expect(view).toMatchObject({ seq, record: { progress: { bytesDone: 2000 } } });
  subscription.close();
});

test("of an erased job a tombstone is left", async () => {
  const erased = await writer.erase(await writer.claim(await writer.create()));
  expect(await viewOfWrite(erased)).toMatchObject({ erased: true, until: expect.any(Date) });
});

test("a message that nobody can read holds up nothing", async () => {
  // What is no job event at all, on a job's own subject.
  await bus.requests.request(`download.job.${randomUUID()}`, Buffer.from("{"), { timeoutMs: 5000 });
  await viewOfWrite(await writer.create());
});

test("under load every view ends at the newest write, with fewer view writes than writes, and each end counts once", async () => {
  const [viewsBefore, endsBefore] = [notifiers.map((n) => n.viewsSent()), await count(METRICS.downloadsCompleted)];
  const jobs = 150;
  const ended: Written[] = [];

  await inParallel(Array(jobs).keys(), 50, async () => {
    ended.push(await writer.complete(await writer.claim(await writer.create())));
  });

  for (const job of ended) expect(await viewOfWrite(job)).toMatchObject({ record: job.record });
  const viewsSent = notifiers.reduce((sum, n, i) => sum + n.viewsSent() - (viewsBefore[i] ?? 0), 0);
  expect(viewsSent).toBeLessThan(3 * jobs);
  await until("every end counted", async () => (await count(METRICS.downloadsCompleted)) - endsBefore >= jobs);
  expect((await count(METRICS.downloadsCompleted)) - endsBefore).toBe(jobs);
  expect(await count(METRICS.completed)).toBe(await count(METRICS.endToEnd));
});
