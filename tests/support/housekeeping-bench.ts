import { randomUUID } from "node:crypto";
import { type Bus, createJobStore, createWorkQueue, type JobStore, type WorkQueue } from "@longhaul/bus";
import type { Checkpoint, JobRecord, StoredRecord } from "@longhaul/contracts";
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
import type { Objects } from "@longhaul/objects";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { viewOf } from "@longhaul/store";
import { inject } from "vitest";
import { aRun, newJobInput, POLICY, specOf } from "../../libs/job/src/testing/index.ts";
import type { CleanupDeps } from "../../services/processor/src/housekeeping/cleanup.ts";
import type { Upload } from "../../services/processor/src/housekeeping/ports.ts";
import { bucketOf, viewsOf } from "../../services/processor/src/start-housekeeping.ts";
import { openObjects } from "./objects.ts";
import { startOwnBus } from "./own-bus.ts";
import { ownDatabase } from "./own-database.ts";

export const log = createLogger("test", "silent");
export const { signal } = new AbortController();
const CONTENT = { sizeBytes: 1, contentType: "application/zip" };

/** A job as its newest write left it. */
export type Job = { id: string; seq: number; record: JobRecord };

/** A key that nobody has chosen, under the results of a job or (1) its payloads. */
export const keyIn = (record: StoredRecord, folder: 0 | 1 = 0) => `${ownPrefixes(record)[folder]}${randomUUID()}`;
/** The key that the job's run has named. */
export const keyOf = ({ record }: Job) => record.checkpoint?.upload.key ?? "";

/** Real servers, and jobs on them that are where a test wants them. */
export type HousekeepingBench = {
  deps: CleanupDeps;
  /** What was done since the test began. */
  done: { removed: string[]; requeued: number };
  bus: Bus;
  jobs: JobStore;
  queue: WorkQueue;
  objects: Objects;
  create(): Promise<Job>;
  /** Claims the job under a fresh key. */
  start(job: Job): Promise<Job>;
  savePoint(job: Job, changes: Partial<Checkpoint>): Promise<Job>;
  command(job: Job, type: CommandType, now?: Date): Promise<Job>;
  complete(job: Job, result: { kind: "owned" | "borrowed"; key: string }): Promise<Job>;
  /** Writes the view of the job as it is here. */
  project(job: Job): Promise<unknown>;
  put(key: string): Promise<void>;
  begin(key: string): Promise<Upload>;
  /** Keys of what lies there for the job, uploads marked. */
  remains(job: { id: string }): Promise<string[]>;
  close(): Promise<void>;
};

export async function startHousekeepingBench(): Promise<HousekeepingBench> {
  const nats = await startOwnBus();
  const { bus } = nats;
  const database = ownDatabase();
  const { store } = database;
  await database.migrate();
  const common = { clock: systemClock, random: systemRandom, log, timeoutMs: 5_000 };
  const [jobs, queue] = [createJobStore(bus, common), createWorkQueue(bus, common)];
  const objects = openObjects(inject("s3"));
  const done: HousekeepingBench["done"] = { removed: [], requeued: 0 };
  const [steps, things] = [stepsOf(jobs), thingsIn(objects)];
  return {
    deps: {
      jobs,
      views: viewsOf(store),
      items: { put: (record) => queue.enqueue(record, null), removeAll: queue.removeItems },
      bucket: bucketOf(objects.results),
      tally: { removed: (what, by) => done.removed.push(`${what} by ${by}`), requeued: () => done.requeued++ },
    },
    done,
    ...{ bus, jobs, queue, objects },
    ...steps,
    project: ({ record, seq }) => store.views.upsertMany([viewOf(record, seq, "", 3600)]),
    ...things,
    async close() {
      await database.remove();
      await nats.remove();
      objects.close();
    },
  };
}

/** The life of a job, write by write. */
function stepsOf(jobs: JobStore) {
  const put = { deadlineMs: 5_000, traceparent: newJobInput().traceparent, source: "/test" };
  async function write({ id, seq }: { id: string; seq: number }, change: Change): Promise<Job> {
    const written = await jobs.put(id, seq, change, put);
    if (written.kind !== "done") throw new Error(`the write of ${id} is ${written.kind}`);
    return { id, seq: written.seq, record: written.record as JobRecord };
  }
  return {
    create() {
      const id = randomUUID();
      const spec = specOf({ fileIds: [70_000, 70_001] });
      return write({ id, seq: 0 }, newJob(newJobInput({ id, now: new Date(), spec })));
    },
    start: (job: Job) => write(job, claim(job.record, { run: aRun(), key: keyIn(job.record), now: new Date() })),
    savePoint(job: Job, changes: Partial<Checkpoint>) {
      const { checkpoint, outcomes, progress } = job.record;
      if (!checkpoint) throw new Error("the job names no key");
      const state = { checkpoint: { ...checkpoint, ...changes }, outcomes, progress, now: new Date() };
      return write(job, checkpointed(job.record, state));
    },
    command(job: Job, type: CommandType, now = new Date()) {
      const rules = { ...POLICY, userHash: userHash("acme", "ada.lovelace"), archived: false };
      const decision = decide(job.record, { type, actor: "test" }, now, rules);
      if (decision.kind !== "change") throw new Error(`${type} changes nothing`);
      return write(job, decision.change);
    },
    complete(job: Job, { kind, key }: { kind: "owned" | "borrowed"; key: string }) {
      const about = { filename: "a.zip", crc32: null, partial: false, expiresAt: new Date().toISOString() };
      const result = { kind, key, ...about, ...CONTENT };
      const { progress, usage } = job.record;
      const outcomes = { doneThrough: 2, exceptions: [] };
      return write(job, completed(job.record, { result, outcomes, progress, usage, now: new Date() }));
    },
  };
}

/** What lies in the bucket of results. */
function thingsIn({ results }: Objects) {
  return {
    async put(key: string) {
      await results.put(key, Buffer.from("x"), CONTENT);
    },
    async begin(key: string): Promise<Upload> {
      return { key, id: await results.uploads.create(key, { contentType: CONTENT.contentType, signal }) };
    },
    async remains({ id }: { id: string }): Promise<string[]> {
      const found: string[] = [];
      for (const prefix of ownPrefixes({ tenant: "acme", id })) {
        for await (const { key } of results.uploads.list(prefix, { signal })) found.push(`upload ${key}`);
        for await (const { key } of results.list(prefix)) found.push(key);
      }
      return found.sort();
    },
  };
}
