import { jobSubject } from "@longhaul/contracts";
import { systemClock } from "@longhaul/runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type HousekeepingBench,
  type Job,
  log,
  signal,
  startHousekeepingBench,
} from "../../../../tests/support/housekeeping-bench.ts";
import { RequeueSweep } from "./requeue.ts";

let bench: HousekeepingBench;

beforeAll(async () => {
  bench = await startHousekeepingBench();
});
afterAll(() => bench?.close());
beforeEach(() => {
  bench.done.requeued = 0;
});

function requeueSweep(aheadMs: number): RequeueSweep {
  return new RequeueSweep({ ...bench.deps, log, clock: { ...systemClock, now: () => Date.now() + aheadMs } });
}

test("queued and running jobs that were left alone for two minutes have their work item again, and no others", async () => {
  const waiting = await bench.create();
  const running = await bench.start(await bench.create());
  const present = await bench.create();
  const cancelled = await bench.create();
  const paused = await bench.command(await bench.create(), "pause");
  for (const job of [waiting, running, present, cancelled, paused]) await bench.project(job);
  await bench.command(cancelled, "cancel");
  await bench.queue.enqueue(present.record, present.seq);

  await requeueSweep(60_000).round(signal);
  expect(bench.done.requeued).toBe(0);
  const sweep = requeueSweep(121_000);
  await sweep.round(signal);
  await sweep.round(signal);
  expect(bench.done.requeued).toBe(2);
  const items = async (job: Job) => bench.queue.removeItems(job.id);
  expect([await items(waiting), await items(running), await items(present)]).toEqual([1, 1, 1]);
  expect([await items(cancelled), await items(paused)]).toEqual([0, 0]);
});

test("a job that cannot be read keeps no other from having its work item again", async () => {
  const unreadable = await bench.create();
  const others = [await bench.create(), await bench.start(await bench.create())];
  for (const job of [unreadable, ...others]) await bench.project(job);
  await bench.bus.requests.request(jobSubject(unreadable.id), "{", { timeoutMs: 5_000 });
  await requeueSweep(121_000).round(signal);
  for (const { id } of others) expect(await bench.queue.removeItems(id)).toBe(1);
});
