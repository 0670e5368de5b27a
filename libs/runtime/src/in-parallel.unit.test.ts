import { setImmediate as aTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { inParallel } from "./in-parallel.ts";

test("every item is worked on once, never more of them at a time than the width, and the free take the next", async () => {
  const done: number[] = [];
  let busy = 0;
  let most = 0;
  await inParallel(Array(20).keys(), 3, async (item) => {
    most = Math.max(most, ++busy);
    for (let turn = 0; turn <= (item === 0 ? 50 : 0); turn++) await aTurn();
    busy--;
    done.push(item);
  });
  expect(done.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()]);
  expect(most).toBe(3);
  expect(done.indexOf(0)).toBeGreaterThan(3);
});

test("after a failure nothing is begun, and it is told when all that was begun has ended", async () => {
  const begun: number[] = [];
  let ended = 0;
  const slow = Promise.withResolvers<void>();
  const all = inParallel([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 0) throw new Error("the first");
    await slow.promise;
    ended++;
    throw new Error("a later one");
  });
  const outcome = all.then(
    () => "done",
    (error: Error) => `${error.message}, ${ended} ended`,
  );
  await aTurn();
  slow.resolve();
  expect(await outcome).toBe("the first, 1 ended");
  expect(begun).toEqual([0, 1]);
});

test("without items there is nothing to wait for", async () => {
  await inParallel([], 8, () => expect.fail("nothing is there"));
});
