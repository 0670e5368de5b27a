import { expect, test, vi } from "vitest";
import type { Clock } from "./clock.ts";
import { createLogger } from "./logger.ts";
import { systemRandom } from "./random.ts";
import { supervise } from "./supervise.ts";

const log = createLogger("test", "silent");

/** Waits are noted and over at once; `passed` moves the monotonic clock. */
function fastClock(): { clock: Clock; waits: number[]; pass(ms: number): void } {
  let nowMs = 0;
  const waits: number[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    async sleep(ms) {
      waits.push(ms);
      nowMs += ms;
    },
  };
  return { clock, waits, pass: (ms) => (nowMs += ms) };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

test("a loop that fails is started again after waits that grow; the others run on", async () => {
  const { clock, waits } = fastClock();
  const stop = new AbortController();
  let starts = 0;
  let others = 0;
  const supervision = supervise(
    [
      {
        name: "broken",
        async run(signal) {
          if (++starts <= 3) throw new Error("no");
          await untilAborted(signal);
        },
      },
      {
        name: "sound",
        run(signal) {
          others++;
          return untilAborted(signal);
        },
      },
    ],
    { log, signal: stop.signal, clock, random: { ...systemRandom, unit: () => 1 } },
  );
  await vi.waitFor(() => expect(starts).toBe(4));
  expect(waits).toEqual([500, 1000, 2000]);
  expect(supervision.health()).toEqual([
    { name: "broken", status: "running", restarts: 3 },
    { name: "sound", status: "running", restarts: 0 },
  ]);
  stop.abort();
  await supervision.done;
  expect(others).toBe(1);
  expect(supervision.health().every(({ status }) => status === "stopped")).toBe(true);
});

test("a loop that returns too early has failed, and one that ran a minute begins again with the shortest wait", async () => {
  const { clock, waits, pass } = fastClock();
  const stop = new AbortController();
  let starts = 0;
  const supervision = supervise(
    [
      {
        name: "short",
        async run(signal) {
          starts++;
          if (starts === 3) pass(60_000);
          if (starts > 3) await untilAborted(signal);
        },
      },
    ],
    { log, signal: stop.signal, clock, random: { ...systemRandom, unit: () => 1 } },
  );
  await vi.waitFor(() => expect(starts).toBe(4));
  expect(waits).toEqual([500, 1000, 500]);
  stop.abort();
  await supervision.done;
});
