import { setTimeout as delay } from "node:timers/promises";
import type { JobRecord } from "@longhaul/contracts";
import { systemClock } from "@longhaul/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../../tests/support/until.ts";
import { startWorkerBench, stoppableClock, type WorkerBench } from "../../../tests/support/worker-bench.ts";
import { JobFailure } from "./job/job-failure.ts";
import type { Completion, Work } from "./job/run.ts";

const HAND_BACKS = 10;
const RUNNING = 20;

let bench: WorkerBench;
beforeEach(async () => {
  bench = await startWorkerBench();
});
afterEach(() => bench.remove());

/** A result long enough for the end to be larger than what it replaces. */
function completion(record: JobRecord): Completion {
  const expiresAt = new Date(systemClock.now() + 86_400_000).toISOString();
  const named = {
    key: `downloads/${"k".repeat(500)}`,
    filename: `${"f".repeat(500)}.zip`,
    contentType: "application/zip",
  };
  return {
    result: { ...named, kind: "borrowed", sizeBytes: 9, crc32: null, partial: false, expiresAt },
    outcomes: { doneThrough: 1, exceptions: [] },
    progress: { ...record.progress, filesDone: 1, bytesTotal: 9, bytesDone: 9 },
  };
}

const statusOf = async (id: string) => (await bench.record(id)).status;
const isRunning = (id: string) => async () => (await statusOf(id)) === "running";
const isCompleted = (id: string) => async () => (await statusOf(id)) === "completed";
const aborted = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

async function itemsOf(id: string, sequences: number[]): Promise<boolean[]> {
  return await Promise.all(sequences.map((sequence) => bench.queue.itemAlive(sequence, id)));
}

test("a job that is paused and resumed while its first delivery is still running ends once, as its new generation", async () => {
  const order: string[] = [];
  const work: Work = async (record, { signal }) => {
    order.push(`begins ${record.generation}`);
    if (record.generation === 2) return completion(record);
    // Slow to stop: the next generation's item is delivered before it has.
    await aborted(signal).catch(() => delay(500));
    order.push("stops 1");
    throw signal.reason;
  };
  const worker = bench.startWorker(work);
  const id = await bench.create();
  await until("the job to run", isRunning(id));
  const firstItem = (await bench.record(id)).run?.item ?? 0;
  await bench.command(id, "pause");
  await bench.command(id, "resume");
  await until("its end", isCompleted(id));
  const { generation, failures, crashes, timeline } = await bench.record(id);
  expect({ generation, failures, crashes }).toEqual({ generation: 2, failures: 0, crashes: 0 });
  const events = ["created", "started", "paused", "resumed", "started", "completed"];
  expect(timeline.map(({ event }) => event)).toEqual(events);
  expect(order).toEqual(["begins 1", "stops 1", "begins 2"]);
  await until("both items to be gone", async () => !(await itemsOf(id, [firstItem, firstItem + 1])).includes(true));
  expect(worker.ends).toEqual(["fenced", "completed"]);
  await worker.stop();
});

test("ten hand-backs of one job cost no try and count no crash", async () => {
  const id = await bench.create();
  for (let i = 0; i < HAND_BACKS; i++) {
    const worker = bench.startWorker(async (_, { signal }) => (await aborted(signal)) as never);
    await until("the job to run", isRunning(id));
    await worker.stop();
    expect(worker.ends).toEqual(["handedback"]);
    expect(await bench.record(id)).toMatchObject({ status: "queued", run: null, failures: 0, crashes: 0 });
  }
  const worker = bench.startWorker(async (record) => completion(record));
  await until("its end", isCompleted(id));
  expect(await bench.record(id)).toMatchObject({ generation: 1, failures: 0, crashes: 0 });
  await worker.stop();
});

test.each([
  ["all of them", new JobFailure({ stage: "plan", code: "ALL_FILES_FAILED", fileErrors: [[0, "FILE_TOO_LARGE"]] })],
  ["the only one", new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE", fileId: 70_000 })],
])("a job that fails with its files, %s, keeps why each did", async (_, failure) => {
  const worker = bench.startWorker(() => Promise.reject(failure));
  const id = await bench.create();
  await until("its end", async () => (await statusOf(id)) === "failed");
  expect(await bench.record(id)).toMatchObject({
    error: { code: failure.code },
    outcomes: { doneThrough: 1, exceptions: [[0, "FILE_TOO_LARGE"]] },
    progress: { filesTotal: 1, filesDone: 0, filesFailed: 1 },
  });
  await worker.stop();
});

test("twenty running jobs wait for room when JOBS is full, and are not fenced", async () => {
  const gate = Promise.withResolvers<void>();
  let done = 0;
  const worker = bench.startWorker(async (record) => {
    await gate.promise;
    done++;
    return completion(record);
  });
  const ids = await Promise.all(Array.from({ length: RUNNING }, () => bench.create()));
  await until("all of them to run", async () => (await Promise.all(ids.map(statusOf))).every((s) => s === "running"));
  const fillers: string[] = [];
  for (;;) {
    const filler = await bench.create({ itemless: true }).catch(() => null);
    if (filler === null) break;
    fillers.push(filler);
  }
  gate.resolve();
  await until("all of them to have their end to write", () => done === RUNNING);
  // The server has seen their first tries: this one, over the same connection, comes after them.
  await expect(bench.create({ itemless: true })).rejects.toThrow("full");
  expect(await Promise.all(ids.map(statusOf))).toContain("running");
  for (const filler of fillers) await bench.command(filler, "erase");
  for (const id of ids) await until("its end", isCompleted(id));
  expect(worker.ends.filter((end) => end !== "completed")).toEqual([]);
  expect((await Promise.all(ids.map(bench.record))).map(({ crashes }) => crashes)).toEqual(ids.map(() => 0));
  await worker.stop();
});

test("a worker that stood still does not ack the delivery that its successor works on", async () => {
  const clock = stoppableClock();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const frozen = bench.startWorker(
    async (record) => {
      await first.promise;
      return completion(record);
    },
    { slots: 1, clock },
  );
  const id = await bench.create();
  await until("the job to run", isRunning(id));
  const { run } = await bench.record(id);
  const successor = bench.startWorker(
    async (record) => {
      await second.promise;
      return completion(record);
    },
    { slots: 1 },
  );
  await until("its take-over", async () => (await bench.record(id)).run?.id !== run?.id, 20_000);
  first.resolve();
  clock.goOn();
  await until("the first run to have let go", () => frozen.ends.length === 1);
  expect(frozen.ends).toEqual(["fenced"]);
  await frozen.stop();
  expect(await itemsOf(id, [run?.item ?? 0])).toEqual([true]);
  second.resolve();
  await until("its end", isCompleted(id));
  await until("the item to be gone", async () => !(await itemsOf(id, [run?.item ?? 0])).includes(true));
  expect(successor.ends).toEqual(["completed"]);
  await successor.stop();
});
