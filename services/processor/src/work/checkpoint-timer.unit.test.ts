import type { Clock } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { CheckpointTimer } from "./checkpoint-timer.ts";

/** Nobody waits long enough for a checkpoint that is due by time. */
const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => new Promise(() => {}) };

function aTimer({ fails = false } = {}) {
  const saves: PromiseWithResolvers<void>[] = [];
  const failures: unknown[] = [];
  const timer = new CheckpointTimer({
    ...{ clock, checkpointBytes: 100, checkpointIntervalMs: 5_000 },
    save() {
      const save = Promise.withResolvers<void>();
      saves.push(save);
      return fails ? Promise.reject(new Error("no answer")) : save.promise;
    },
    onFailure: (error) => failures.push(error),
  });
  return { timer, saves, failures };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const isSettled = async (promise: Promise<unknown>) => {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await nextTurn();
  return settled;
};

test("a checkpoint is written when so many bytes are stored, one at a time", async () => {
  const { timer, saves } = aTimer();
  timer.stored(99);
  expect(saves).toHaveLength(0);
  timer.stored(1);
  timer.stored(250);
  expect(saves).toHaveLength(1);
  saves[0]?.resolve();
  await nextTurn();
  expect(saves).toHaveLength(2);
});

test("nothing more is begun while so much is stored that no checkpoint has, and then it is", async () => {
  const { timer, saves } = aTimer();
  timer.stored(60);
  expect(await isSettled(timer.room())).toBe(true);
  timer.stored(60);
  const room = timer.room();
  expect(await isSettled(room)).toBe(false);
  saves[0]?.resolve();
  expect(await isSettled(room)).toBe(true);
});

test("a checkpoint that fails leaves its bytes unsaved, and holds nobody", async () => {
  const { timer, failures } = aTimer({ fails: true });
  timer.stored(100);
  await timer.room();
  expect(failures).toHaveLength(1);
  expect(await timer.isBehind()).toBe(true);
});

test("whoever closes it waits for the checkpoint that is being written", async () => {
  const { timer, saves } = aTimer();
  timer.stored(100);
  const behind = timer.isBehind();
  expect(await isSettled(behind)).toBe(false);
  saves[0]?.resolve();
  expect(await behind).toBe(false);
  timer.stored(500);
  expect(saves).toHaveLength(1);
});
