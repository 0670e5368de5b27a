import { randomUUID } from "node:crypto";
import { type Bus, connectBus, createJobStore, type JobStore } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import { type Change, claim, decide, newJob, ownPrefixes, userHash } from "@longhaul/job";
import { type Bucket, type Objects, ObjectsError } from "@longhaul/objects";
import { createLogger, createMetrics, type Supervision, systemClock, systemRandom } from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { aRun, newJobInput, POLICY, written } from "../../../libs/job/src/testing/index.ts";
import { migrate } from "../../../tests/support/migrated.ts";
import { openObjects } from "../../../tests/support/objects.ts";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";
import { startHousekeeping } from "./start-housekeeping.ts";

const log = createLogger("test", "silent");
const { signal } = new AbortController();
const stopping = new AbortController();
const metrics = createMetrics("processor");
const contentType = "application/zip";
const viewsDatabase = `housekeeping_${randomUUID().slice(0, 8)}`;

let nats: OwnServer;
let bus: Bus;
let jobs: JobStore;
let store: Store;
let objects: Objects;
let running: Supervision;
let refusals = 0;

beforeAll(async () => {
  objects = openObjects(inject("s3"));
  const storeConfig = {
    mongodbUrl: inject("mongodbUrl"),
    mongodbViewsDatabase: viewsDatabase,
    mongodbTimeoutMs: 1000,
    mongodbMaxPoolSize: 5,
  };
  nats = await startOwnServer("nats");
  bus = await connectBus({ servers: [nats.url], name: "test", log });
  await migrate(bus, storeConfig);
  jobs = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 5_000 });
  // Nobody listens there: what needs no view must work all the same.
  store = connectStore({ ...storeConfig, mongodbUrl: "mongodb://127.0.0.1:9" }, log);
  const config = { busTimeoutMs: 5000, requeueIntervalMs: 200, orphanIntervalMs: 300, orphanAgeSeconds: 1 };
  const results = refusing(objects.results);
  running = startHousekeeping({ config, bus, results, store, log, metrics, signal: stopping.signal });
});
afterAll(async () => {
  stopping.abort();
  await running?.done;
  await store?.close();
  const mongodb = new MongoClient(inject("mongodbUrl"));
  await mongodb.db(viewsDatabase).dropDatabase();
  await mongodb.close();
  await bus?.close();
  await nats?.remove();
  objects?.close();
});

/** The bucket, whose deletes are refused as often as `refusals` says. */
function refusing(bucket: Bucket): Bucket {
  return Object.assign(Object.create(bucket), {
    name: bucket.name,
    uploads: bucket.uploads,
    list: bucket.list.bind(bucket),
    async delete(key: string, options: { signal: AbortSignal }) {
      if (refusals-- > 0) throw new ObjectsError("the store is slow", { code: "UNAVAILABLE" });
      return bucket.delete(key, options);
    },
  });
}

/** A job that was claimed, wrote an object, and was cancelled. */
async function cancelledJob(): Promise<{ id: string; key: string }> {
  const id = randomUUID();
  const queued = newJob(newJobInput({ id, now: new Date() }));
  const key = `${ownPrefixes({ tenant: "acme", id })[0]}${randomUUID()}`;
  const started = claim(written(queued), { run: aRun(), key, now: new Date() });
  const rules = { ...POLICY, userHash: userHash("acme", "ada.lovelace"), archived: false };
  const decision = decide(written(started), { type: "cancel", actor: "test" }, new Date(), rules);
  if (decision.kind !== "change") throw new Error("the job cannot be cancelled");
  await objects.results.put(key, Buffer.from("x"), { sizeBytes: 1, contentType });
  const write = async (seq: number, change: Change) => {
    const options = { deadlineMs: 5_000, traceparent: newJobInput().traceparent, source: "/test" };
    const done = await jobs.put(id, seq, change, options);
    return done.kind === "done" ? done.seq : expect.fail(`the write is ${done.kind}`);
  };
  await write(await write(await write(0, queued), started), decision.change);
  return { id, key };
}

async function removedBy(loop: string): Promise<number> {
  const values = (await metrics.registry.getSingleMetric(METRICS.housekeepingRemoved)?.get())?.values ?? [];
  return values.filter(({ labels }) => labels.by === loop).reduce((sum, { value }) => sum + value, 0);
}

const isGone = (key: string) => until(`${key} is gone`, async () => (await objects.results.head(key)) === null);

test("what an end leaves is removed at once, without MongoDB", async () => {
  const { key } = await cancelledJob();
  await isGone(key);
  expect(await removedBy("cleanup")).toBe(1);
});

test("what comes after that is found by the sweep, without MongoDB", async () => {
  const { id, key } = await cancelledJob();
  await isGone(key);
  const before = await removedBy("orphans");
  await objects.results.uploads.create(key, { contentType, signal });
  await until("the sweep to remove the upload", async () => (await removedBy("orphans")) > before);
  for (const prefix of ownPrefixes({ tenant: "acme", id })) {
    for await (const upload of objects.results.uploads.list(prefix, { signal })) expect.fail(`${upload.key} is left`);
  }
});

test("what the store refused is tried again", async () => {
  refusals = 1;
  await isGone((await cancelledJob()).key);
});

test("the loops stay up while MongoDB is away", () => {
  expect(running.health().map(({ name, restarts }) => [name, restarts])).toEqual([
    ["cleanup", 0],
    ["requeue", 0],
    ["orphans", 0],
  ]);
});
