import type { JobRecord } from "@longhaul/contracts";
import { claim, decide, userHash } from "@longhaul/job";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnBus, startOwnBus } from "../../../tests/support/own-bus.ts";
import { startTcpProxy } from "../../../tests/support/tcp-proxy.ts";
import { until } from "../../../tests/support/until.ts";
import type { Bus } from "./connect.ts";
import { aNewJob, connectTo, PUT, SETTINGS, storeOf } from "./testing/fixtures.ts";

let server: OwnBus;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnBus();
  bus = server.bus;
});
afterAll(() => server?.remove());

const claimBy = (record: JobRecord, worker: string) =>
  claim(record, {
    run: { id: worker, worker, item: 1, startedAt: new Date().toISOString() },
    key: null,
    now: new Date(),
  });

async function created(store = storeOf(bus)) {
  const change = aNewJob();
  const result = await store.put(change.record.id, 0, change, PUT);
  if (result.kind !== "done") throw new Error(`not created: ${result.kind}`);
  return { id: change.record.id, seq: result.seq, record: result.record as JobRecord };
}

test("a created job is read by every kind of read, with its sequence and trace", async () => {
  const store = storeOf(bus);
  const { id, seq, record } = await created(store);
  const stored = { seq, record, traceparent: PUT.traceparent };

  expect(await store.newest(id)).toMatchObject(stored);
  expect(await store.direct(id)).toMatchObject(stored);
  expect(await store.newestOf([id, aNewJob().record.id])).toMatchObject([stored]);
  expect(await store.lastSequence()).toBeGreaterThanOrEqual(seq);
});

test("a job that is not there is null", async () => {
  const { id } = aNewJob().record;
  expect(await storeOf(bus).newest(id)).toBeNull();
  expect(await storeOf(bus).direct(id)).toBeNull();
});

test("a second create finds the first", async () => {
  const { id, seq, record } = await created();
  const result = await storeOf(bus).put(id, 0, aNewJob({ id }), PUT);
  expect(result).toMatchObject({ kind: "conflict", current: { seq, record } });
});

test("a write that expects an older sequence meets the newer record, one that expects a job that is gone meets nothing", async () => {
  const store = storeOf(bus);
  const { id, seq, record } = await created(store);
  const first = await store.put(id, seq, claimBy(record, "first"), PUT);
  expect(first.kind).toBe("done");

  const late = await store.put(id, seq, claimBy(record, "late"), PUT);
  expect(late).toMatchObject({ kind: "conflict", current: { record: { run: { worker: "first" } } } });

  const unknown = aNewJob();
  expect(await store.put(unknown.record.id, 7, unknown, PUT)).toEqual({ kind: "conflict", current: null });
});

test("of 16 writers of a job exactly one wins, 300 times", async () => {
  const store = storeOf(bus);
  const winners: number[] = [];
  await inParallel(Array(300).keys(), 8, async () => {
    const { id, seq, record } = await created(store);
    const racers = Array.from({ length: 16 }, (_, racer) => store.put(id, seq, claimBy(record, `w${racer}`), PUT));
    const results = await Promise.all(racers);
    const won = results.filter(({ kind }) => kind === "done");
    const lost = results.filter(({ kind }) => kind === "conflict");
    expect(lost).toHaveLength(15);
    winners.push(won.length);
  });
  expect(winners).toEqual(Array(300).fill(1));
});

test("a write whose answer is lost is found again as one's own", async () => {
  const proxy = await startTcpProxy(server.port);
  const remote = await connectTo(`nats://127.0.0.1:${proxy.port}`);
  try {
    const { id, seq, record } = await created();
    proxy.swallowAnswers();
    const writing = storeOf(remote).put(id, seq, claimBy(record, "cut off"), PUT);
    const stored = await until("the write is stored", async () => {
      const newest = await storeOf(bus).newest(id);
      return newest && newest.seq > seq ? newest : null;
    });
    proxy.cut();
    expect(await writing).toEqual({ kind: "done", seq: stored.seq, record: stored.record, superseded: false });
  } finally {
    await remote.close();
    await proxy.close();
  }
});

test("a write whose answer is lost and that others have built on is done, and superseded", async () => {
  const proxy = await startTcpProxy(server.port);
  const remote = await connectTo(`nats://127.0.0.1:${proxy.port}`);
  try {
    const store = storeOf(bus);
    const { id, seq, record } = await created(store);
    proxy.swallowAnswers();
    const writing = storeOf(remote).put(id, seq, claimBy(record, "cut off"), PUT);
    const stored = await until("the write is stored", async () => {
      const newest = await store.newest(id);
      return newest && newest.seq > seq ? newest : null;
    });
    const next = stored.record as JobRecord;
    const rules = { deadlineSeconds: 60, userHash: userHash(next.tenant, next.user), archived: false };
    const cancel = decide(next, { type: "cancel", actor: "user" }, new Date(), rules);
    if (cancel.kind !== "change") throw new Error(cancel.kind);
    expect((await store.put(id, stored.seq, cancel.change, PUT)).kind).toBe("done");
    proxy.cut();
    expect(await writing).toMatchObject({ kind: "done", record: { status: "cancelled" }, superseded: true });
  } finally {
    await remote.close();
    await proxy.close();
  }
});

test("a server that is killed while jobs are written loses none, and none is written twice", async () => {
  const store = storeOf(bus);
  const outcomes = new Map<string, string>();
  const load = inParallel(Array(3_000).keys(), 64, async () => {
    const change = aNewJob();
    const result = await store.put(change.record.id, 0, change, { ...PUT, deadlineMs: 15_000 });
    outcomes.set(change.record.id, result.kind);
  });
  await until("some jobs are written", () => outcomes.size > 0);
  await server.kill();
  expect(outcomes.size).toBeLessThan(3_000);
  await server.restart();
  await load;

  expect(new Set(outcomes.values())).toEqual(new Set(["done"]));
  await inParallel(Array(outcomes.size).keys(), 64, async (index) => {
    const id = [...outcomes.keys()][index] ?? "";
    expect(await store.newest(id)).toMatchObject({ record: { id, status: "queued", timeline: [{}] } });
  });
});

test("when nobody answers until the deadline the outcome is unknown, in bounded time", async () => {
  await server.kill();
  try {
    const change = aNewJob();
    const begin = performance.now();
    const result = await storeOf(bus).put(change.record.id, 0, change, { ...PUT, deadlineMs: 1_000 });
    expect(result).toEqual({ kind: "unknown" });
    expect(performance.now() - begin).toBeLessThan(15_000);
  } finally {
    await server.restart();
    await until("the connection stands again", () => bus.connected());
  }
});

test("an end leaves by itself when its time is over; a revived job stays", async () => {
  const store = storeOf(bus);
  const [dying, revived] = [await created(store), await created(store)];
  const rules = { deadlineSeconds: 60, userHash: userHash("acme", "ada"), archived: false };
  const end = async ({ id, seq, record }: Awaited<ReturnType<typeof created>>) => {
    const cancel = decide(record, { type: "cancel", actor: "user" }, new Date(), rules);
    if (cancel.kind !== "change") throw new Error(cancel.kind);
    const result = await store.put(id, seq, cancel.change, { ...PUT, ttlSeconds: 2 });
    if (result.kind !== "done") throw new Error(result.kind);
    return { id, seq: result.seq, record: result.record as JobRecord };
  };
  await end(dying);
  const ended = await end(revived);
  const retry = decide(ended.record, { type: "retry", actor: "user" }, new Date(), rules);
  if (retry.kind !== "change") throw new Error(retry.kind);
  expect((await store.put(ended.id, ended.seq, retry.change, PUT)).kind).toBe("done");

  await until("the ended job is gone", async () => (await store.newest(dying.id)) === null, 10_000);
  expect(await store.newest(revived.id)).toMatchObject({ record: { status: "queued", generation: 2 } });
});

test("a full stream refuses growing writes as full, and takes those that do not grow", async () => {
  const small = await startOwnBus({ ...SETTINGS, jobsMaxBytes: 64 * 1024 });
  try {
    const store = storeOf(small.bus);
    const jobs = [];
    for (;;) {
      const change = aNewJob();
      const result = await store.put(change.record.id, 0, change, PUT);
      if (result.kind !== "done") {
        expect(result).toEqual({ kind: "full" });
        break;
      }
      jobs.push({ change, ...result });
    }
    expect(jobs.length).toBeGreaterThan(10);
    const [job] = jobs;
    if (!job) throw new Error("no job was stored");
    const sameSize = { type: job.change.type, record: job.record, entry: null } as const;
    expect((await store.put(job.record.id, job.seq, sameSize, PUT)).kind).toBe("done");
  } finally {
    await small.remove();
  }
});
