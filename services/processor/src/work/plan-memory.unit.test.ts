import type { JobRecord } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { recordIn, specOf } from "../../../../libs/job/src/testing/index.ts";
import { PartBuffers } from "../archive/part-buffers.ts";
import type { Completion, Work, WorkContext } from "../job/run.ts";
import { PLAN_MEMORY_BYTES, withPlanMemory } from "./plan-memory.ts";

const contextOf = (signal = new AbortController().signal): WorkContext => ({
  ...{ signal, report() {}, used() {}, checkpoint: async () => {}, waiting: (wait) => wait },
});
const jobOf = (filesTotal: number): JobRecord => recordIn("running", { spec: { ...specOf(), filesTotal } });

/** Work that goes on until it is told how to end. */
function heldWork(): { work: Work; begun: number; end: PromiseWithResolvers<Completion>[] } {
  const held = { work: (() => {}) as unknown as Work, begun: 0, end: [] as PromiseWithResolvers<Completion>[] };
  held.work = () => {
    held.begun += 1;
    const end = Promise.withResolvers<Completion>();
    held.end.push(end);
    return end.promise;
  };
  return held;
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("jobs of very many files run as far as there is memory for what they know of them, and small ones at once", async () => {
  const held = heldWork();
  const memory = new PartBuffers(PLAN_MEMORY_BYTES);
  const work = withPlanMemory(held.work, memory);
  const large = Array.from({ length: 3 }, () => work(jobOf(100_000), contextOf()));
  await settled();
  expect(held.begun).toBe(2);
  void work(jobOf(2_000), contextOf());
  await settled();
  expect(held.begun).toBe(3);

  held.end[0]?.reject(new Error("the first fails"));
  await expect(large[0]).rejects.toThrow("the first fails");
  await settled();
  expect(held.begun).toBe(4);
  for (const end of held.end.slice(1)) end.resolve({} as Completion);
  await Promise.all(large.slice(1));
  expect(memory.reservedBy("normal")).toBe(0);
});

test("who is told to stop while it waits never begins", async () => {
  const held = heldWork();
  const work = withPlanMemory(held.work, new PartBuffers(PLAN_MEMORY_BYTES));
  for (let i = 0; i < 2; i++) void work(jobOf(100_000), contextOf());
  const stop = new AbortController();
  const waits = work(jobOf(100_000), contextOf(stop.signal));
  stop.abort(new Error("stopped"));
  await expect(waits).rejects.toThrow("stopped");
  expect(held.begun).toBe(2);
});
