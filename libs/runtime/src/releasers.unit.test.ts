import { expect, test } from "vitest";
import { createLogger } from "./logger.ts";
import { Releasers } from "./releasers.ts";

const log = createLogger("test", "silent");

test("the last opened is closed first, also when one fails in between", async () => {
  const closed: string[] = [];
  const releasers = new Releasers(log);
  releasers.defer("a", () => closed.push("a"));
  releasers.defer("b", async () => {
    closed.push("b");
    throw new Error("b cannot close");
  });
  releasers.defer("c", () => closed.push("c"));
  expect(await releasers.release(1000)).toEqual(["b"]);
  expect(closed).toEqual(["c", "b", "a"]);
});

test("one that does not end is left behind at the deadline", async () => {
  const closed: string[] = [];
  const releasers = new Releasers(log);
  releasers.defer("last", () => closed.push("last"));
  releasers.defer("stuck", () => new Promise(() => {}));
  expect(await releasers.release(50)).toEqual(["stuck"]);
  expect(closed).toEqual(["last"]);
});

test("what a boot opens while, or after, everything is released is closed too", async () => {
  const closed: string[] = [];
  const releasers = new Releasers(log);
  releasers.defer("first", () => {
    releasers.defer("late", () => closed.push("late"));
  });
  await releasers.release(1000);
  releasers.defer("later", () => closed.push("later"));
  expect(closed).toEqual(["late", "later"]);
});

test("each is closed once", async () => {
  let closings = 0;
  const releasers = new Releasers(log);
  releasers.defer("one", () => closings++);
  await releasers.release(1000);
  await releasers.release(1000);
  expect(closings).toBe(1);
});
