import { randomUUID } from "node:crypto";
import type { Bus } from "@longhaul/bus";
import { jobSubject } from "@longhaul/contracts";
import { type Change, completed, deadLettered, decide, newJob, userHash } from "@longhaul/job";
import { type Store, type View, viewOf } from "@longhaul/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newJobInput, POLICY } from "../../../../libs/job/src/testing/index.ts";
import type { JobWriter, Written } from "../../../../tests/support/job-writer.ts";
import { startTwoNotifiers, type TwoNotifiers } from "../../../../tests/support/two-notifiers.ts";
import { until } from "../../../../tests/support/until.ts";

const DAY_MS = 86_400_000;
let notifiers: TwoNotifiers;
let store: Store;
let bus: Bus;
let writer: JobWriter;

beforeAll(async () => {
  // Both look for the same jobs.
  notifiers = await startTwoNotifiers({ expiryIntervalMs: "200" });
  ({ store, bus, writer } = notifiers);
});

afterAll(() => notifiers?.stop());

const write = (id: string, seq: number, change: Change, ttlSeconds?: number) =>
  writer.store.put(id, seq, change, {
    deadlineMs: 5000,
    ttlSeconds,
    traceparent: newJobInput().traceparent,
    source: "/longhaul/test",
  });

/** Ends a running job with a result that is kept for `keptMs`. */
async function complete({ id, seq, record }: Written, keptMs: number, ttlSeconds?: number): Promise<void> {
  const now = new Date();
  const expiresAt = new Date(now.getTime() + keptMs).toISOString();
  const what = {
    filename: "file-70000.zip",
    sizeBytes: 9,
    contentType: "application/zip",
    crc32: null,
    partial: false,
  };
  const result = { kind: "borrowed" as const, key: "downloads/70000.zip", expiresAt, ...what };
  const { progress, usage } = record;
  const outcomes = { doneThrough: 1, exceptions: [] };
  await write(id, seq, completed(record, { result, outcomes, progress, usage, now }), ttlSeconds);
}

const statusOf = async (id: string) => {
  const view = await store.views.get(id);
  return view && "record" in view ? view.record.status : null;
};

test("a result whose time is over makes the job expired, once, with its end kept", async () => {
  const job = await writer.claim(await writer.create());
  await complete(job, 500);
  await until("it to expire", async () => (await statusOf(job.id)) === "expired");
  const newest = await writer.store.newest(job.id);
  expect(newest?.record).toMatchObject({ status: "expired", error: null, result: { key: "downloads/70000.zip" } });
  expect(newest?.record).toMatchObject({ timeline: [{}, {}, { event: "completed" }, { event: "expired" }] });
});

test("an unfinished job past its deadline ends as expired", async () => {
  const id = randomUUID();
  const long = new Date(Date.now() - 8 * DAY_MS);
  await write(id, 0, newJob(newJobInput({ id, now: long })));
  await until("it to expire", async () => (await statusOf(id)) === "expired");
  expect((await writer.store.newest(id))?.record).toMatchObject({
    status: "expired",
    error: { code: "DEADLINE_EXCEEDED" },
  });
});

test("a job that cannot be read keeps no other from expiring", async () => {
  const long = new Date(Date.now() - 9 * DAY_MS);
  const [unreadable, other] = [randomUUID(), randomUUID()];
  const record = newJob(newJobInput({ id: unreadable, now: long })).record;
  if (record.status === "erased") throw new Error("unreachable");
  await store.views.upsertMany([viewOf(record, 1, "0af7651916cd43dd8448eb211c80319c", 60)]);
  await bus.requests.request(jobSubject(unreadable), "{", { timeoutMs: 5000 });
  await write(other, 0, newJob(newJobInput({ id: other, now: new Date(long.getTime() + DAY_MS / 2) })));
  await until("the other to expire", async () => (await statusOf(other)) === "expired");
  expect(await statusOf(unreadable)).toBe("queued");
});

test("a job that has left JOBS by its lifetime is answered from its view, and expires from there", async () => {
  const job = await writer.claim(await writer.create());
  await complete(job, 4000, 1);
  await until("its view", async () => (await statusOf(job.id)) === "completed");
  await until("JOBS to let it go", async () => (await writer.store.newest(job.id)) === null);
  expect(await statusOf(job.id)).toBe("completed");
  await until("it to expire", async () => (await statusOf(job.id)) === "expired");
  expect((await writer.store.newest(job.id))?.record.status).toBe("expired");
});

test("the view of a job that ended long ago becomes a tombstone; one that was retried meanwhile stays", async () => {
  const long = new Date(Date.now() - 40 * DAY_MS);
  const { id, record } = await writer.claim(await writer.create());
  const failed = deadLettered(record, { now: long, worker: "test" }).record;
  if (failed.status === "erased") throw new Error("unreachable");
  const gone = randomUUID();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  await store.views.upsertMany([viewOf({ ...failed, id: gone }, 7, traceId, 60)]);
  const isTombstone = (view: View | null) => view !== null && "erased" in view;
  await until("a tombstone", async () => isTombstone(await store.views.get(gone)));

  // Found as it was, retried since: its view has another sequence by now.
  const retry = { type: "retry" as const, actor: "test" };
  const rules = { ...POLICY, userHash: userHash(record.tenant, record.user), archived: false };
  const decision = decide(failed, retry, new Date(), rules);
  if (decision.kind !== "change") throw new Error("cannot be retried");
  const now = await until("its view", () => store.views.get(id));
  await store.views.upsertMany([viewOf(decision.change.record, now.seq + 100, traceId, 60)]);
  await store.ending.bury([{ id, seq: now.seq }], new Date(Date.now() + 60_000));
  expect(await statusOf(id)).toBe("queued");
});
