import type { JobRecord } from "@longhaul/contracts";
import { stamp } from "@longhaul/job";
import { expect, test } from "vitest";
import { BusError, type BusErrorCode } from "./errors.ts";
import { createPutOnce, type JobLog } from "./put-once.ts";
import type { Stored } from "./stored.ts";
import { aNewJob, TRACEPARENT } from "./testing/fixtures.ts";

const SECOND = 1000;
const MINE = "my-write";

/** The stream's answers, one after the other; the last one stays. */
type Script = { appends: (number | BusErrorCode)[]; reads: (Stored | null | BusErrorCode)[] };

function answer<T>(answers: (T | BusErrorCode)[], codes: (value: T | BusErrorCode) => value is BusErrorCode): T {
  const next = answers.length > 1 ? answers.shift() : answers[0];
  if (next === undefined) throw new Error("the script has no answer for this");
  if (codes(next)) throw new BusError(next, next);
  return next;
}

const isCode = (value: unknown): value is BusErrorCode => typeof value === "string";

async function put({ appends, reads }: Partial<Script>, seq = 0) {
  const calls: string[] = [];
  let now = 0;
  const log: JobLog = {
    async append(_, __, expectedSeq, { timeoutMs }) {
      calls.push(`append ${expectedSeq}`);
      if (appends?.[0] === "TIMEOUT") now += timeoutMs;
      return answer(appends ?? [], isCode);
    },
    async readNewest(_, timeoutMs) {
      calls.push("read");
      if (reads?.[0] === "TIMEOUT") now += timeoutMs;
      return answer(reads ?? [], isCode);
    },
  };
  const clock = {
    monotonic: () => now,
    async sleep(ms: number) {
      now += Math.max(1, ms);
    },
  };
  const putOnce = createPutOnce(log, clock, { token: () => MINE, unit: () => 0.5 });
  const options = { deadlineMs: 4 * SECOND, traceparent: TRACEPARENT, source: "/longhaul/test" };
  const result = await putOnce(change.record.id, seq, change, options);
  return { result, calls, elapsedMs: now };
}

const change = aNewJob();
const mine = stamp(change, MINE) as JobRecord;
const stored = (seq: number, writeId: string): Stored => ({
  seq,
  record: { ...mine, writeId, timeline: [] },
  traceparent: TRACEPARENT,
});
const builtOnMine: Stored = { seq: 9, record: { ...mine, writeId: "another" }, traceparent: TRACEPARENT };

test("an acknowledged write is done", async () => {
  const { result, calls } = await put({ appends: [7] });
  expect(result).toEqual({ kind: "done", seq: 7, record: mine, superseded: false });
  expect(calls).toEqual(["append 0"]);
});

test.each<BusErrorCode>(["WRONG_SEQUENCE", "TIMEOUT", "DISCONNECTED", "NO_RESPONDERS", "UNAVAILABLE", "FULL"])(
  "after %s, mine in the stream: done",
  async (code) => {
    const { result } = await put({ appends: [code], reads: [stored(8, MINE)] });
    expect(result).toMatchObject({ kind: "done", seq: 8, superseded: false });
  },
);

test("mine in the timeline of a later write: done and superseded", async () => {
  const { result } = await put({ appends: ["TIMEOUT"], reads: [builtOnMine] });
  expect(result).toEqual({ kind: "done", seq: 9, record: builtOnMine.record, superseded: true });
});

test.each<BusErrorCode>(["WRONG_SEQUENCE", "TIMEOUT", "FULL"])("after %s, another's: conflict", async (code) => {
  const { result, calls } = await put({ appends: [code], reads: [stored(8, "another")] }, 5);
  expect(result).toEqual({ kind: "conflict", current: stored(8, "another") });
  expect(calls).toEqual(["append 5", "read"]);
});

test("nothing there although something was expected: conflict with nothing", async () => {
  const { result } = await put({ appends: ["WRONG_SEQUENCE"], reads: [null] }, 5);
  expect(result).toEqual({ kind: "conflict", current: null });
});

test.each([
  { what: "nothing, as expected", seq: 0, there: null },
  { what: "the record that was expected", seq: 5, there: stored(5, "before") },
])("still $what: the same write again", async ({ seq, there }) => {
  const { result, calls } = await put({ appends: ["TIMEOUT", 12], reads: [there] }, seq);
  expect(result).toEqual({ kind: "done", seq: 12, record: mine, superseded: false });
  expect(calls).toEqual([`append ${seq}`, "read", `append ${seq}`]);
});

test("a read-back that fails is repeated before anything is written again", async () => {
  const { calls } = await put({ appends: ["DISCONNECTED", 12], reads: ["DISCONNECTED", "DISCONNECTED", null] });
  expect(calls).toEqual(["append 0", "read", "read", "read", "append 0"]);
});

test.each<Script>([
  { appends: ["TIMEOUT"], reads: ["TIMEOUT"] },
  { appends: ["TIMEOUT"], reads: [null] },
  { appends: ["DISCONNECTED"], reads: ["DISCONNECTED"] },
])("no answer until the deadline: unknown (%o)", async (script) => {
  const { result, elapsedMs } = await put(script);
  expect(result).toEqual({ kind: "unknown" });
  expect(elapsedMs).toBeGreaterThanOrEqual(4 * SECOND);
  expect(elapsedMs).toBeLessThan(4.1 * SECOND);
});

test.each<Script>([
  { appends: ["NO_RESPONDERS"], reads: ["NO_RESPONDERS"] },
  { appends: ["OVERLOADED"], reads: ["OVERLOADED"] },
  { appends: ["OVERLOADED"], reads: [null] },
  { appends: ["WRONG_SEQUENCE"], reads: ["TIMEOUT"] },
])("no try reached the stream, or was refused by it: surely not stored (%o)", async (script) => {
  expect((await put(script)).result).toEqual({ kind: "unavailable" });
});

test("one unanswered try among refused ones: unknown", async () => {
  const { result } = await put({ appends: ["OVERLOADED", "TIMEOUT", "NO_RESPONDERS"], reads: [null] });
  expect(result).toEqual({ kind: "unknown" });
});

test("full is full at once, but not while an earlier try may still be on its way", async () => {
  expect((await put({ appends: ["FULL"], reads: [null] })).result).toEqual({ kind: "full" });
  expect((await put({ appends: ["TIMEOUT", "FULL"], reads: [null] })).result).toEqual({ kind: "unknown" });
});

test("what no second try can mend is thrown", async () => {
  await expect(put({ appends: ["REJECTED"] })).rejects.toMatchObject({ code: "REJECTED" });
  await expect(put({ appends: ["TIMEOUT"], reads: ["UNREADABLE"] })).rejects.toMatchObject({ code: "UNREADABLE" });
});
