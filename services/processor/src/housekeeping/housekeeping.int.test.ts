import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Bus, connectBus, createJobStore, createWorkQueue, type JobStore, type WorkQueue } from "@longhaul/bus";
import { type Checkpoint, type JobRecord, jobSubject, type StoredRecord } from "@longhaul/contracts";
import {
  type Change,
  type CommandType,
  checkpointed,
  claim,
  completed,
  decide,
  newJob,
  ownPrefixes,
  userHash,
} from "@longhaul/job";
import { createObjects, type Objects } from "@longhaul/objects";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { connectStore, type Store, viewOf } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { aRun, newJobInput, POLICY, specOf } from "../../../../libs/job/src/testing/index.ts";
import { migrate } from "../../../../tests/support/migrated.ts";
import { type OwnServer, startOwnServer } from "../../../../tests/support/own-server.ts";
import { bucketOf, viewsOf } from "../start-housekeeping.ts";
import { type CleanupDeps, cleanup } from "./cleanup.ts";
import { OrphanSweep } from "./orphans.ts";
import type { Upload } from "./ports.ts";
import { RequeueSweep } from "./requeue.ts";

const log = createLogger("test", "silent");
const { signal } = new AbortController();
const TRACEPARENT = newJobInput().traceparent;
const CONTENT = { sizeBytes: 1, contentType: "application/zip" };

let nats: OwnServer;
let bus: Bus;
let jobs: JobStore;
let queue: WorkQueue;
let store: Store;
let objects: Objects;
let mongodb: MongoClient;
let deps: CleanupDeps;
let removed: string[] = [];
let requeued = 0;
const viewsDatabase = `housekeeping_${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  const s3 = inject("s3");
  const storeConfig = {
    mongodbUrl: inject("mongodbUrl"),
    mongodbViewsDatabase: viewsDatabase,
    mongodbTimeoutMs: 10_000,
    mongodbMaxPoolSize: 5,
  };
  objects = createObjects({
    s3Endpoint: s3.endpoint,
    s3Region: s3.region,
    s3Bucket: s3.bucket,
    s3AccessKeyId: s3.accessKeyId,
    s3SecretAccessKey: s3.secretAccessKey,
    s3Sse: "none",
    s3CallTimeoutMs: 10_000,
  });
  nats = await startOwnServer("nats");
  bus = await connectBus({ servers: [nats.url], name: "test", log });
  await migrate(bus, storeConfig);
  const common = { clock: systemClock, random: systemRandom, log, timeoutMs: 5_000 };
  jobs = createJobStore(bus, common);
  queue = createWorkQueue(bus, common);
  store = connectStore(storeConfig, log);
  mongodb = new MongoClient(storeConfig.mongodbUrl);
  deps = {
    jobs,
    views: viewsOf(store),
    items: { put: (record) => queue.enqueue(record, null), removeAll: queue.removeItems },
    bucket: bucketOf(objects.results),
    tally: { removed: (what, by) => removed.push(`${what} by ${by}`), requeued: () => requeued++ },
  };
});
afterAll(async () => {
  await store?.close();
  await mongodb?.db(viewsDatabase).dropDatabase();
  await mongodb?.close();
  await bus?.close();
  await nats?.remove();
  objects?.close();
});
beforeEach(() => {
  removed = [];
  requeued = 0;
});

type Job = { id: string; seq: number; record: JobRecord };

async function write({ id, seq }: { id: string; seq: number }, change: Change): Promise<Job> {
  const done = await jobs.put(id, seq, change, { deadlineMs: 5_000, traceparent: TRACEPARENT, source: "/test" });
  if (done.kind !== "done") throw new Error(`the write of ${id} is ${done.kind}`);
  return { id, seq: done.seq, record: done.record as JobRecord };
}

const keyIn = (record: StoredRecord, folder: 0 | 1 = 0) => `${ownPrefixes(record)[folder]}${randomUUID()}`;
const put = async (key: string) => void (await objects.results.put(key, Buffer.from("x"), CONTENT));
const begin = async (key: string): Promise<Upload> => ({
  key,
  id: await objects.results.uploads.create(key, { contentType: CONTENT.contentType, signal }),
});

const create = (id = randomUUID()) =>
  write({ id, seq: 0 }, newJob(newJobInput({ id, now: new Date(), spec: specOf({ fileIds: [70_000, 70_001] }) })));
/** Claims the job under a fresh key. */
const start = async (job: Job) =>
  write(job, claim(job.record, { run: aRun(), key: keyIn(job.record), now: new Date() }));
const keyOf = ({ record }: Job) => record.checkpoint?.upload.key ?? "";

function savePoint(job: Job, changes: Partial<Checkpoint>): Promise<Job> {
  const { record } = job;
  if (!record.checkpoint) throw new Error("the job names no key");
  const checkpoint = { ...record.checkpoint, ...changes };
  const { outcomes, progress } = record;
  return write(job, checkpointed(record, { checkpoint, outcomes, progress, now: new Date() }));
}

function command(job: Job, type: CommandType, now = new Date()): Promise<Job> {
  const rules = { ...POLICY, userHash: userHash("acme", "ada.lovelace"), archived: false };
  const decision = decide(job.record, { type, actor: "test" }, now, rules);
  if (decision.kind !== "change") throw new Error(`${type} changes nothing`);
  return write(job, decision.change);
}

function complete(job: Job, result: { kind: "owned" | "borrowed"; key: string }): Promise<Job> {
  const about = { filename: "a.zip", crc32: null, partial: false, expiresAt: new Date().toISOString() };
  const { progress, usage } = job.record;
  const outcomes = { doneThrough: 2, exceptions: [] };
  return write(
    job,
    completed(job.record, { result: { ...result, ...about, ...CONTENT }, outcomes, progress, usage, now: new Date() }),
  );
}

/** Keys of what lies there for the job, uploads marked. */
async function remains({ id }: { id: string }, tenant = "acme"): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of ownPrefixes({ tenant, id })) {
    for await (const { key } of objects.results.uploads.list(prefix, { signal })) found.push(`upload ${key}`);
    for await (const { key } of objects.results.list(prefix)) found.push(key);
  }
  return found.sort();
}

const project = ({ record, seq }: Job) => store.views.upsertMany([viewOf(record, seq, "", 3600)]);

test("a cancelled job leaves no upload, no part, no object and no payload", async () => {
  let job = await start(await create());
  const upload = await begin(keyOf(job));
  const bytes = Buffer.alloc(5 * 1024 ** 2);
  const part = { number: 1, bytes, crc32: crc32(bytes).toString(16).padStart(8, "0") };
  await objects.results.uploads.sendPart(upload, part, signal);
  job = await savePoint(job, { upload: { ...upload, partSize: 1 } });
  for (const key of [keyIn(job.record), keyIn(job.record, 1)]) await put(key);
  await begin(keyIn(job.record));

  await cleanup((await command(job, "cancel")).record, deps, signal);

  expect(await remains(job)).toEqual([]);
  // The key of each upload too: a slow Complete may have made the object.
  expect(removed.sort()).toEqual([...Array(4).fill("object by cleanup"), ...Array(2).fill("upload by cleanup")]);
});

test("a completed job keeps its result, also while another upload under that key is aborted, until it expires", async () => {
  const job = await start(await create());
  const [result, late] = [keyOf(job), keyIn(job.record)];
  await put(result);
  await put(late);
  await begin(result);
  const ended = await complete(job, { kind: "owned", key: result });
  await cleanup(ended.record, deps, signal);
  expect(await remains(job)).toEqual([result]);

  await cleanup((await command(ended, "expire", new Date(Date.now() + 60_000))).record, deps, signal);
  expect(await remains(job)).toEqual([]);
});

test("deleting a job takes its own result and its work items, and leaves the source that was handed out", async () => {
  const source = `downloads/${randomUUID()}.zip`;
  await put(source);
  const job = await start(await create());
  await put(keyOf(job));
  const erased = await command(await complete(job, { kind: "borrowed", key: source }), "erase");
  await queue.enqueue(job.record, null);
  await cleanup(erased.record, deps, signal);
  expect(await remains(job)).toEqual([]);
  expect(await objects.results.head(source)).not.toBeNull();
  expect(await queue.removeItems(job.id)).toBe(0);
});

test("a paused job keeps everything, and a job that never chose a key is not even listed", async () => {
  let job = await start(await create());
  job = await savePoint(job, { upload: { ...(await begin(keyOf(job))), partSize: 1 } });
  const before = await remains(job);
  await cleanup((await command(job, "pause")).record, deps, signal);
  expect(await remains(job)).toEqual(before);

  const never = await command(await create(), "cancel");
  const bucket = { ...deps.bucket, uploads: () => expect.fail("listed") };
  await cleanup(never.record, { ...deps, bucket }, signal);
  expect(removed).toEqual([]);
});

test("a cleanup that was frozen after its list touches nothing of a job that was retried meanwhile", async () => {
  const job = await start(await create());
  await put(keyOf(job));
  const cancelled = await command(job, "cancel");
  let again = cancelled;
  /** The bus, which the retry reaches before the read that follows the list. */
  const late = async (id: string) => {
    again = await start(await command(cancelled, "retry"));
    await put(keyOf(again));
    return jobs.newest(id);
  };
  const before = [keyOf(job)];
  await cleanup(cancelled.record, { ...deps, jobs: { newest: late } }, signal);
  expect(await remains(job)).toEqual([...before, keyOf(again)].sort());
});

test("a cleanup that was frozen between its read and its deletes takes nothing that the new generation names", async () => {
  const job = await start(await create());
  await put(keyOf(job));
  await begin(keyIn(job.record));
  const cancelled = await command(job, "cancel");
  let again: Job | null = null;
  const thaw = async () => {
    if (again) return;
    again = await start(await command(cancelled, "retry"));
    await put(keyOf(again));
    await begin(keyOf(again));
  };
  const bucket: CleanupDeps["bucket"] = {
    ...deps.bucket,
    abort: async (upload, stop) => thaw().then(() => deps.bucket.abort(upload, stop)),
  };
  await cleanup(cancelled.record, { ...deps, bucket }, signal);
  const named = again === null ? "" : keyOf(again);
  expect(await remains(job)).toEqual([named, `upload ${named}`]);
});

test("when an abort fails the key goes all the same, and the whole is tried again", async () => {
  const job = await start(await create());
  await put(keyOf(job));
  await begin(keyOf(job));
  const cancelled = await command(job, "cancel");
  const bucket = { ...deps.bucket, abort: () => Promise.reject(new Error("the store is slow")) };
  await expect(cleanup(cancelled.record, { ...deps, bucket }, signal)).rejects.toThrow("the store is slow");
  expect(await remains(job)).toEqual([`upload ${keyOf(job)}`]);
  await cleanup(cancelled.record, deps, signal);
  expect(await remains(job)).toEqual([]);
});

const HOUR_MS = 3_600_000;
/** An orphan sweep whose clock is ahead, so that what is there is old enough. */
function orphanSweep(aheadMs = 2 * HOUR_MS, changes: Partial<CleanupDeps> = {}): OrphanSweep {
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  return new OrphanSweep({ ...deps, ...changes, clock, log, ageSeconds: 3600 });
}

test("an upload and an object that came after cleanup had listed are found by the orphan sweep, when they are old", async () => {
  const job = await start(await create());
  await cleanup((await command(job, "cancel")).record, deps, signal);
  await begin(keyOf(job));
  await put(keyIn(job.record));
  const before = await remains(job);
  await orphanSweep(0).round(signal);
  expect(await remains(job)).toEqual(before);
  await orphanSweep().round(signal);
  expect(await remains(job)).toEqual([]);
  expect(removed).toContain("upload by orphans");
});

test("the orphan sweep leaves what running, paused and completed jobs name, and keys that are not ours", async () => {
  const strange = [`results/acme/${randomUUID()}`, `results/acme/not-a-job/x`];
  for (const key of strange) await put(key);
  const running = await start(await create());
  await begin(keyOf(running));
  const paused = await command(await start(await create()), "pause");
  await begin(keyOf(paused));
  const started = await start(await create());
  await put(keyOf(started));
  const done = await complete(started, { kind: "owned", key: keyOf(started) });
  const unnamed = keyIn(running.record);
  await put(unnamed);
  const before = (await Promise.all([running, paused, done].map((job) => remains(job)))).flat();

  await orphanSweep().round(signal);

  const after = (await Promise.all([running, paused, done].map((job) => remains(job)))).flat();
  expect(after).toEqual(before.filter((key) => key !== unnamed));
  for (const key of strange) {
    expect(await objects.results.head(key)).not.toBeNull();
    await objects.results.delete(key, { signal });
  }
});

test("of a job that is not in JOBS the view decides; unknown jobs leave nothing; and without views nothing goes", async () => {
  const record = (await start(await create())).record;
  const named = { ...record, id: randomUUID() };
  const key = keyIn(named);
  const archived = { ...named, checkpoint: { ...record.checkpoint!, upload: { key, id: null, partSize: 0 } } };
  const unknown = { ...record, id: randomUUID() };
  await project({ id: named.id, seq: 1, record: archived });
  for (const k of [key, keyIn(named), keyIn(unknown)]) await put(k);

  const away = { ...deps.views, standing: () => Promise.reject(new Error("MongoDB is away")) };
  await orphanSweep(2 * HOUR_MS, { views: away }).round(signal);
  expect([(await remains(named)).length, (await remains(unknown)).length]).toEqual([2, 1]);
  await orphanSweep().round(signal);
  expect([await remains(named), await remains(unknown)]).toEqual([[key], []]);
  await objects.results.delete(key, { signal });
});

function requeueSweep(aheadMs: number): RequeueSweep {
  return new RequeueSweep({ ...deps, log, clock: { ...systemClock, now: () => Date.now() + aheadMs } });
}

test("queued and running jobs that were left alone for two minutes have their work item again, and no others", async () => {
  const waiting = await create();
  const running = await start(await create());
  const present = await create();
  const cancelled = await create();
  const paused = await command(await create(), "pause");
  for (const job of [waiting, running, present, cancelled, paused]) await project(job);
  await command(cancelled, "cancel");
  await queue.enqueue(present.record, present.seq);

  await requeueSweep(60_000).round(signal);
  expect(requeued).toBe(0);
  const sweep = requeueSweep(121_000);
  await sweep.round(signal);
  await sweep.round(signal);
  expect(requeued).toBe(2);
  const items = async (job: Job) => queue.removeItems(job.id);
  expect([await items(waiting), await items(running), await items(present)]).toEqual([1, 1, 1]);
  expect([await items(cancelled), await items(paused)]).toEqual([0, 0]);
});

test("a job that cannot be read keeps no other from having its work item again", async () => {
  const unreadable = await create();
  const others = [await create(), await start(await create())];
  for (const job of [unreadable, ...others]) await project(job);
  await bus.requests.request(jobSubject(unreadable.id), "{", { timeoutMs: 5_000 });
  await requeueSweep(121_000).round(signal);
  for (const { id } of others) expect(await queue.removeItems(id)).toBe(1);
});
