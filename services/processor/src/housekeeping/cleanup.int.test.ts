import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type HousekeepingBench,
  type Job,
  keyIn,
  keyOf,
  signal,
  startHousekeepingBench,
} from "../../../../tests/support/housekeeping-bench.ts";
import { type CleanupDeps, cleanup } from "./cleanup.ts";

let bench: HousekeepingBench;

beforeAll(async () => {
  bench = await startHousekeepingBench();
});
afterAll(() => bench?.close());
beforeEach(() => {
  bench.done.removed = [];
});

test("a cancelled job leaves no upload, no part, no object and no payload", async () => {
  let job = await bench.start(await bench.create());
  const upload = await bench.begin(keyOf(job));
  const bytes = Buffer.alloc(5 * 1024 ** 2);
  const part = { number: 1, bytes, crc32: crc32(bytes).toString(16).padStart(8, "0") };
  await bench.objects.results.uploads.sendPart(upload, part, signal);
  job = await bench.savePoint(job, { upload: { ...upload, partSize: 1 } });
  for (const key of [keyIn(job.record), keyIn(job.record, 1)]) await bench.put(key);
  await bench.begin(keyIn(job.record));

  await cleanup((await bench.command(job, "cancel")).record, bench.deps, signal);

  expect(await bench.remains(job)).toEqual([]);
  // The key of each upload too: a slow Complete may have made the object.
  expect(bench.done.removed.sort()).toEqual([
    ...Array(4).fill("object by cleanup"),
    ...Array(2).fill("upload by cleanup"),
  ]);
});

test("a completed job keeps its result, also while another upload under that key is aborted, until it expires", async () => {
  const job = await bench.start(await bench.create());
  const [result, late] = [keyOf(job), keyIn(job.record)];
  await bench.put(result);
  await bench.put(late);
  await bench.begin(result);
  const ended = await bench.complete(job, { kind: "owned", key: result });
  await cleanup(ended.record, bench.deps, signal);
  expect(await bench.remains(job)).toEqual([result]);

  await cleanup((await bench.command(ended, "expire", new Date(Date.now() + 60_000))).record, bench.deps, signal);
  expect(await bench.remains(job)).toEqual([]);
});

test("deleting a job takes its own result and its work items, and leaves the source that was handed out", async () => {
  const source = `downloads/${randomUUID()}.zip`;
  await bench.put(source);
  const job = await bench.start(await bench.create());
  await bench.put(keyOf(job));
  const erased = await bench.command(await bench.complete(job, { kind: "borrowed", key: source }), "erase");
  await bench.queue.enqueue(job.record, null);
  await cleanup(erased.record, bench.deps, signal);
  expect(await bench.remains(job)).toEqual([]);
  expect(await bench.objects.results.head(source)).not.toBeNull();
  expect(await bench.queue.removeItems(job.id)).toBe(0);
});

test("a paused job keeps everything, and a job that never chose a key is not even listed", async () => {
  let job = await bench.start(await bench.create());
  job = await bench.savePoint(job, { upload: { ...(await bench.begin(keyOf(job))), partSize: 1 } });
  const before = await bench.remains(job);
  await cleanup((await bench.command(job, "pause")).record, bench.deps, signal);
  expect(await bench.remains(job)).toEqual(before);

  const never = await bench.command(await bench.create(), "cancel");
  const bucket = { ...bench.deps.bucket, uploads: () => expect.fail("listed") };
  await cleanup(never.record, { ...bench.deps, bucket }, signal);
  expect(bench.done.removed).toEqual([]);
});

test("a cleanup that was frozen after its list touches nothing of a job that was retried meanwhile", async () => {
  const job = await bench.start(await bench.create());
  await bench.put(keyOf(job));
  const cancelled = await bench.command(job, "cancel");
  let again = cancelled;
  /** The bus, which the retry reaches before the read that follows the list. */
  const late = async (id: string) => {
    again = await bench.start(await bench.command(cancelled, "retry"));
    await bench.put(keyOf(again));
    return bench.jobs.newest(id);
  };
  const before = [keyOf(job)];
  await cleanup(cancelled.record, { ...bench.deps, jobs: { newest: late } }, signal);
  expect(await bench.remains(job)).toEqual([...before, keyOf(again)].sort());
});

test("a cleanup that was frozen between its read and its deletes takes nothing that the new generation names", async () => {
  const job = await bench.start(await bench.create());
  await bench.put(keyOf(job));
  await bench.begin(keyIn(job.record));
  const cancelled = await bench.command(job, "cancel");
  let again: Job | null = null;
  const thaw = async () => {
    if (again) return;
    again = await bench.start(await bench.command(cancelled, "retry"));
    await bench.put(keyOf(again));
    await bench.begin(keyOf(again));
  };
  const bucket: CleanupDeps["bucket"] = {
    ...bench.deps.bucket,
    abort: async (upload, stop) => thaw().then(() => bench.deps.bucket.abort(upload, stop)),
  };
  await cleanup(cancelled.record, { ...bench.deps, bucket }, signal);
  const named = again === null ? "" : keyOf(again);
  expect(await bench.remains(job)).toEqual([named, `upload ${named}`]);
});

test("when an abort fails the key goes all the same, and the whole is tried again", async () => {
  const job = await bench.start(await bench.create());
  await bench.put(keyOf(job));
  await bench.begin(keyOf(job));
  const cancelled = await bench.command(job, "cancel");
  const bucket = { ...bench.deps.bucket, abort: () => Promise.reject(new Error("the store is slow")) };
  await expect(cleanup(cancelled.record, { ...bench.deps, bucket }, signal)).rejects.toThrow("the store is slow");
  expect(await bench.remains(job)).toEqual([`upload ${keyOf(job)}`]);
  await cleanup(cancelled.record, bench.deps, signal);
  expect(await bench.remains(job)).toEqual([]);
});
