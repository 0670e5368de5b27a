import { randomInt } from "node:crypto";
import type { JobRecord } from "@longhaul/contracts";
import { type Objects, ObjectsError } from "@longhaul/objects";
import { systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { seededStream } from "../../../deploy/local/src/samples/seeded-bytes.ts";
import { specOf } from "../../../libs/job/src/testing/index.ts";
import { openObjects } from "../../../tests/support/objects.ts";
import { until } from "../../../tests/support/until.ts";
import {
  type RunningWorker,
  startWorkerBench,
  stoppableClock,
  type WorkerBench,
} from "../../../tests/support/worker-bench.ts";
import { PartBuffers } from "./archive/part-buffers.ts";
import { PART_MIN_BYTES } from "./archive/part-size.ts";
import { cleanup } from "./housekeeping/cleanup.ts";
import type { ResultStore, SentPart } from "./job/ports.ts";
import { createResultStore } from "./result-store.ts";
import { createS3Source } from "./source/s3-source.ts";
import { bucketOf } from "./start-housekeeping.ts";
import { createArchiveWork } from "./work/archive.ts";
import { RecordLists } from "./work/record-lists.ts";
import { ZeroCopy } from "./work/zero-copy.ts";

/** More than one part. */
const FILE = { fileId: randomInt(1_000_000, 100_000_000), sizeBytes: 6_000_000, contentType: "application/zip" };
const SPEC = specOf({ fileIds: [FILE.fileId], archive: "zip" });
const TAKEN_OVER_WITHIN_MS = 30_000;
const { signal } = new AbortController();

let bench: WorkerBench;
let objects: Objects;

beforeAll(async () => {
  objects = openObjects(inject("s3"));
  await objects.source.put(`downloads/${FILE.fileId}.zip`, seededStream(FILE.fileId, FILE.sizeBytes), FILE);
  bench = await startWorkerBench();
});
afterAll(async () => {
  await bench?.remove();
  objects?.close();
});

const SOURCE_LIMITS = { fileIdleTimeoutMs: 10_000, sourceMinBytesPerSecond: 1 };

const workWith = (results: ResultStore) => {
  const sourceKeyTemplate = "downloads/{file_id}.zip";
  const source = createS3Source(objects.source, { sourceKeyTemplate, store: "source", ...SOURCE_LIMITS });
  return createArchiveWork({
    ...{ results, sourceOf: () => source, lists: new RecordLists(objects.payloads) },
    ...{
      clock: systemClock,
      random: systemRandom,
      uploadConcurrency: 2,
      partBuffers: new PartBuffers(1e9),
      minPartBytes: PART_MIN_BYTES,
      zeroCopy: new ZeroCopy({ zeroCopy: "off", zeroCopyMinBytes: 64e6, locate: null, onRefused: () => {} }),
    },
    ...{ checkpointIntervalMs: 5_000, checkpointBytes: 64e6 },
    ...{ fileTries: 1, retryBaseMs: 200, fileMaxBytes: 1e9, jobMaxBytes: 1e9 },
  });
};

/** The Complete that a frozen worker was about to send. `revive`: it is sent now, whatever the worker has learnt since. */
type Frozen = {
  worker: RunningWorker;
  upload: { key: string; id: string };
  /** Rejects with what the store says to it. */
  revive(): Promise<void>;
};

/** A worker that stands still when all its parts are sent. */
async function frozenBeforeComplete(): Promise<Frozen> {
  type Call = { upload: { key: string; id: string }; parts: readonly SentPart[]; sizeBytes: number; crc32: string };
  const called = Promise.withResolvers<Call>();
  const gate = Promise.withResolvers<void>();
  const results = createResultStore(objects.results);
  const clock = stoppableClock();
  const worker = bench.startWorker(
    workWith({
      ...results,
      async completeUpload(upload, parts, { sizeBytes, crc32 }) {
        called.resolve({ upload, parts, sizeBytes, crc32 });
        await gate.promise;
      },
    }),
    { slots: 1, clock },
  );
  const { upload, parts, sizeBytes, crc32 } = await called.promise;
  return {
    worker,
    upload,
    async revive() {
      const completing = results.completeUpload(upload, parts, { sizeBytes, crc32, signal });
      await completing.finally(() => {
        gate.resolve();
        clock.goOn();
      });
    },
  };
}

/** Another worker takes the job over and completes it. */
async function takenOver(id: string): Promise<JobRecord> {
  const successor = bench.startWorker(workWith(createResultStore(objects.results)), { slots: 1 });
  const isCompleted = async () => (await bench.record(id)).status === "completed";
  await until("its successor to complete it", isCompleted, TAKEN_OVER_WITHIN_MS);
  await successor.stop();
  return await bench.record(id);
}

/** Uploads and objects of a job. */
async function remains({ tenant, id }: JobRecord): Promise<string[]> {
  const prefix = `results/${tenant}/${id}/`;
  const found: string[] = [];
  for await (const { key } of objects.results.uploads.list(prefix, { signal })) found.push(`upload ${key}`);
  for await (const { key } of objects.results.list(prefix, { signal })) found.push(key);
  return found;
}

async function clean(record: JobRecord): Promise<void> {
  const notAsked = () => Promise.reject(new Error("the job is in JOBS"));
  const deps = {
    jobs: bench.jobs,
    views: { standing: notAsked, unfinished: notAsked },
    items: { put: (job: JobRecord) => bench.queue.enqueue(job, null), removeAll: bench.queue.removeItems },
    bucket: bucketOf(objects.results),
    tally: { removed: () => {}, requeued: () => {} },
  };
  await cleanup(record, deps, signal);
}

/** The end stands, its result is whole, and when cleanup has looked again nothing else is there. */
async function expectNothingChanged(ended: JobRecord, worker: RunningWorker): Promise<void> {
  await until("the revived worker to let go", () => worker.ends.length === 1);
  expect(worker.ends).toEqual(["fenced"]);
  expect(await bench.record(ended.id)).toEqual(ended);
  await clean(ended);
  expect(await remains(ended)).toEqual(ended.result ? [ended.result.key] : []);
  if (ended.result?.key) {
    const head = await objects.results.head(ended.result.key, { signal });
    expect(head?.sizeBytes).toBe(ended.result.sizeBytes);
  }
  await worker.stop();
}

test("a revived worker that completes its upload after its successor has finished changes nothing", async () => {
  const id = await bench.create({ spec: SPEC });
  const { worker, upload, revive } = await frozenBeforeComplete();
  const ended = await takenOver(id);
  // The successor went on with the same upload, as it was sealed.
  expect(ended).toMatchObject({ crashes: 1, result: { kind: "owned", key: upload.key } });
  // A store may say that it is done already, or that there is no such upload any more.
  await revive().catch((error: unknown) => expect(error).toBeInstanceOf(ObjectsError));
  await expectNothingChanged(ended, worker);
}, 60_000);

test("one that completes or aborts an upload that cleanup has already removed is refused, and changes nothing", async () => {
  const id = await bench.create({ spec: SPEC });
  const { worker, upload, revive } = await frozenBeforeComplete();
  await bench.command(id, "cancel");
  const ended = await bench.record(id);
  await clean(ended);
  await expect(revive()).rejects.toThrow(ObjectsError);
  await objects.results.uploads.abort(upload, signal);
  await expectNothingChanged(ended, worker);
}, 60_000);
