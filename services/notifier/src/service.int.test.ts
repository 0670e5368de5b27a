import { randomUUID } from "node:crypto";
import { type Bus, createCore, type PushMessage } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import { userHash } from "@longhaul/job";
import { createLogger, inParallel } from "@longhaul/runtime";
import type { JobView, Store, View } from "@longhaul/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobWriter, Written } from "../../../tests/support/job-writer.ts";
import { startTwoNotifiers, type TwoNotifiers } from "../../../tests/support/two-notifiers.ts";
import { until } from "../../../tests/support/until.ts";

const log = createLogger("test", "silent");
/** Of each notifier: how many views it has sent. */
const viewsSent: (() => number)[] = [];
let notifiers: TwoNotifiers;
let bus: Bus;
let store: Store;
let writer: JobWriter;

/** A store that counts the views it is given. */
function counted(inner: Store): Store {
  let sent = 0;
  const upsertMany = (views: readonly View[]) => {
    sent += views.length;
    return inner.views.upsertMany(views);
  };
  viewsSent.push(() => sent);
  return { ...inner, views: { ...inner.views, upsertMany } };
}

beforeAll(async () => {
  // They share the consumer and the queue group.
  const settings = { projectorBatch: "50", projectorPauseMs: "200", progressWriteIntervalMs: "100" };
  notifiers = await startTwoNotifiers(settings, counted);
  ({ bus, store, writer } = notifiers);
});

afterAll(() => notifiers?.stop());

async function viewOfWrite({ id, seq }: { id: string; seq: number }): Promise<View> {
  return await until(`the view of write ${seq} of ${id}`, async () => {
    const view = await store.views.get(id);
    return view?.seq === seq && view;
  });
}

type Sample = { value: number; metricName?: string };

/** What both notifiers have counted together. */
async function count(metric: string): Promise<number> {
  const samples = notifiers.metrics.map(async (metrics): Promise<Sample[]> => {
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
  const [viewsBefore, endsBefore] = [viewsSent.map((sent) => sent()), await count(METRICS.downloadsCompleted)];
  const jobs = 150;
  const ended: Written[] = [];

  await inParallel(Array(jobs).keys(), 50, async () => {
    ended.push(await writer.complete(await writer.claim(await writer.create())));
  });

  for (const job of ended) expect(await viewOfWrite(job)).toMatchObject({ record: job.record });
  const sentNow = viewsSent.reduce((sum, sent, i) => sum + sent() - (viewsBefore[i] ?? 0), 0);
  expect(sentNow).toBeLessThan(3 * jobs);
  await until("every end counted", async () => (await count(METRICS.downloadsCompleted)) - endsBefore >= jobs);
  expect((await count(METRICS.downloadsCompleted)) - endsBefore).toBe(jobs);
  expect(await count(METRICS.completed)).toBe(await count(METRICS.endToEnd));
});
