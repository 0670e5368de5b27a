import { randomUUID } from "node:crypto";
import { type Bus, connectBus, createJobStore, createWorkQueue } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { claim, failed, jobError, newJob } from "@longhaul/job";
import { createLogger, supervise, systemClock, systemRandom } from "@longhaul/runtime";
import { connectStore, type Operation, type Store, viewOf } from "@longhaul/store";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { newJobInput } from "../../../../libs/job/src/testing/index.ts";
import { migrate } from "../../../../tests/support/migrated.ts";
import { type OwnServer, startOwnServer } from "../../../../tests/support/own-server.ts";
import { until } from "../../../../tests/support/until.ts";
import { type NotifierConfig, notifierConfig } from "../config.ts";
import { operationsOf } from "./operations-of.ts";

const log = createLogger("test", "silent");
const PUT = { deadlineMs: 5000, traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", source: "/t" };
const limits = { clock: systemClock, random: systemRandom, log, timeoutMs: 5000 };

let nats: OwnServer;
let bus: Bus;
let store: Store;
let config: NotifierConfig;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  nats = await startOwnServer("nats");
  const [views, records] = [`operations_${randomUUID().slice(0, 8)}`, `records_${randomUUID().slice(0, 8)}`];
  config = notifierConfig.parse({
    natsUrl: nats.url,
    mongodbUrl: inject("mongodbUrl"),
    mongodbViewsDatabase: views,
    mongodbRecordsDatabase: records,
    maxAttempts: "1",
  });
  bus = await connectBus({ servers: [nats.url], name: "test", log });
  store = connectStore(config, log);
  await migrate(bus, config);
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await store?.close();
  await bus?.close();
  await nats?.remove();
});

const operations = () => store.records(config.mongodbRecordsDatabase).operations;
const jobs = () => createJobStore(bus, limits);

/** Jobs whose only try failed, and their views. */
async function failedJobs(
  count: number,
  code: "SOURCE_TIMEOUT" | "FILE_NOT_FOUND" = "SOURCE_TIMEOUT",
): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const id = randomUUID();
    const now = new Date();
    const run = { id: "r", worker: "w", item: 1, startedAt: now.toISOString() };
    const changes = [
      () => newJob(newJobInput({ id, now })),
      (record: JobRecord) => claim(record, { run, key: null, now }),
      (record: JobRecord) => failed(record, { error: jobError(code, "read-source"), now }),
    ];
    let [seq, record] = [0, {} as JobRecord];
    for (const change of changes) {
      const put = await jobs().put(id, seq, change(record), PUT);
      if (put.kind !== "done") throw new Error(`the write is ${put.kind}`);
      [seq, record] = [put.seq, put.record as JobRecord];
    }
    await store.views.upsertMany([viewOf(record, seq, "0".repeat(32), 3600)]);
    ids.push(id);
  }
  return ids;
}

const anOperation = (given: Partial<Operation>): Operation => ({
  _id: randomUUID(),
  action: "redrive",
  code: null,
  ratePerSecond: 200,
  actor: "olga",
  reason: null,
  traceparent: PUT.traceparent,
  status: "running",
  matched: 0,
  tally: { done: 0, skipped: 0, failed: 0 },
  position: null,
  createdAt: new Date(),
  endedAt: null,
  claim: null,
  ...given,
});

function startNotifier(): () => Promise<void> {
  const stopping = new AbortController();
  const { done } = supervise([operationsOf(bus, store, config, log)], { log, signal: stopping.signal });
  const stop = async () => {
    stopping.abort();
    await done;
  };
  stops.push(stop);
  return stop;
}

const ended = (id: string) =>
  until(
    "the end of the operation",
    async () => {
      const operation = await operations().get(id);
      return operation !== null && operation.endedAt !== null && operation;
    },
    15_000,
  );

const recordOf = async (id: string) => (await jobs().newest(id))?.record as JobRecord;

test("every dead letter is redriven once, by whichever notifier; what is none is left alone", async () => {
  const dead = await failedJobs(30);
  const permanent = await failedJobs(2, "FILE_NOT_FOUND");
  const operation = anOperation({});
  await operations().add(operation);
  await operations().add(operation);
  startNotifier();
  startNotifier();
  expect((await ended(operation._id)).tally).toEqual({ done: 30, skipped: 0, failed: 0 });
  const work = createWorkQueue(bus, limits);
  for (const id of dead) {
    const record = await recordOf(id);
    expect(record).toMatchObject({ status: "queued", generation: 2 });
    expect(record.timeline.at(-1)).toMatchObject({ event: "retried", actor: "olga" });
    expect(await work.enqueue(record, null)).toBe("present");
  }
  for (const id of permanent) expect((await recordOf(id)).status).toBe("failed");
});

test("what failed after the operation was asked for, or was retried before its turn, is skipped", async () => {
  const operation = anOperation({ createdAt: new Date(Date.now() - 60_000) });
  const [id = ""] = await failedJobs(1);
  await operations().add(operation);
  startNotifier();
  expect((await ended(operation._id)).tally).toMatchObject({ done: 0, failed: 0 });
  expect((await recordOf(id)).status).toBe("failed");
});

test("an operation goes on where a notifier left it, at its rate, and can be stopped", async () => {
  await failedJobs(12);
  const operation = anOperation({ ratePerSecond: 4 });
  await operations().add(operation);
  const stopFirst = startNotifier();
  const tally = () =>
    operations()
      .get(operation._id)
      .then((found) => found?.tally.done ?? 0);
  await until("the first second", async () => (await tally()) >= 4, 10_000);
  await stopFirst();
  const left = await tally();
  expect(left).toBeLessThan(12);
  startNotifier();
  await until("the next", async () => (await tally()) > left, 10_000);
  const stopped = await operations().stop(operation._id, new Date());
  expect(stopped).toMatchObject({ status: "stopped" });
  expect(await operations().stop(operation._id, new Date())).toEqual(stopped);
  expect(await operations().claim("another", new Date(), new Date())).toBeNull();
});
