import { expect, test } from "vitest";
import { SharedRead } from "./shared-read.ts";

/** A clock that stands still until somebody sleeps. */
function sleepingClock() {
  let now = 0;
  return {
    monotonic: () => now,
    async sleep(ms: number) {
      now += ms;
    },
  };
}

test("those who ask before a read begins share it; who asks later gets a later one, a gap after the first", async () => {
  const clock = sleepingClock();
  const begun: number[] = [];
  let answer = (_: number) => {};
  const shared = new SharedRead(
    () => {
      begun.push(clock.monotonic());
      return new Promise<number>((resolve) => {
        answer = resolve;
      });
    },
    250,
    clock,
  );
  const together = [shared.ask(), shared.ask()];
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual([0]);
  const answerFirst = answer;
  const later = shared.ask();
  answerFirst(1);
  expect(await Promise.all(together)).toEqual([1, 1]);
  await Promise.resolve();
  await Promise.resolve();
  answer(2);
  expect(await later).toBe(2);
  expect(begun).toEqual([0, 250]);
});
