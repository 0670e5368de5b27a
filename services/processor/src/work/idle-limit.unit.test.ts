import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { recordIn } from "../../../../libs/job/src/testing/index.ts";
import type { Completion, Work, WorkContext } from "../job/run.ts";
import { nothingUploaded } from "./archive-job.ts";
import { withIdleLimit } from "./idle-limit.ts";

const IDLE_MS = 1_000;
const record = recordIn("running");
const DONE = { progress: record.progress } as Completion;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const forever = () => new Promise<never>(() => {});

function contextOf(signal = new AbortController().signal): WorkContext {
  return { signal, report() {}, used() {}, checkpoint: async () => {}, waiting: (wait) => wait };
}

/** Runs the work for `ms` milliseconds, and says what came of it. */
async function outcome(work: Work, ms: number, context = contextOf()): Promise<unknown> {
  let told: unknown = "still running";
  void withIdleLimit(work, IDLE_MS)(record, context).then(
    (done) => (told = done),
    (error) => (told = error),
  );
  await vi.advanceTimersByTimeAsync(ms);
  return told;
}

test("work that moves again and again takes as long as it takes", async () => {
  const work: Work = async (_, { report, checkpoint }) => {
    const plan = { entries: [], ref: null, filesMissing: 0, bytesTotal: 0 };
    for (let i = 0; i < 5; i++) {
      await sleep(IDLE_MS - 1);
      report(record.progress);
      await sleep(IDLE_MS - 1);
      await checkpoint({ plan });
      await sleep(IDLE_MS - 1);
      await checkpoint({ checkpoint: nothingUploaded({ key: "k", id: null, partSize: 0 }) });
    }
    return DONE;
  };
  expect(await outcome(work, 20 * IDLE_MS)).toBe(DONE);
});

test.each([
  ["planning", "plan"],
  ["reading", "read-source"],
] as const)("work that stands still while %s is given up, also when it does not listen", async (phase, stage) => {
  let isStopped = false;
  const work: Work = async (_, { report, signal }) => {
    signal.addEventListener("abort", () => (isStopped = true));
    report({ ...record.progress, phase });
    return await forever();
  };
  expect(await outcome(work, IDLE_MS)).toMatchObject({ code: "SOURCE_TIMEOUT", stage });
  expect(isStopped).toBe(true);
});

test("a wait for others is no standing still; after it the time begins anew", async () => {
  const work: Work = async (_, { waiting }) => {
    await waiting(sleep(10 * IDLE_MS));
    await sleep(IDLE_MS - 1);
    return DONE;
  };
  expect(await outcome(work, 11 * IDLE_MS)).toBe(DONE);
  const hanging: Work = async (_, { waiting }) => {
    await waiting(sleep(10 * IDLE_MS));
    return await forever();
  };
  expect(await outcome(hanging, 11 * IDLE_MS)).toMatchObject({ code: "SOURCE_TIMEOUT" });
});

test("who is told to stop stops with that reason", async () => {
  const stop = new AbortController();
  const work: Work = (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const reason = new Error("stopped");
  setTimeout(() => stop.abort(reason), IDLE_MS / 2);
  expect(await outcome(work, IDLE_MS, contextOf(stop.signal))).toBe(reason);
});
