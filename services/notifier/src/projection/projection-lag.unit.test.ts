import { expect, test } from "vitest";
import { ProjectionLag } from "./projection-lag.ts";

function lagAt() {
  const clock = { nowMs: 100_000, now: () => clock.nowMs };
  return { clock, lag: new ProjectionLag(clock) };
}

test("nothing in hand: no lag", () => {
  expect(lagAt().lag.seconds()).toBe(0);
});

test("a batch that cannot be stored makes the lag grow until it is", () => {
  const { clock, lag } = lagAt();
  lag.received(98_000);
  expect(lag.seconds()).toBe(2);
  clock.nowMs += 60_000;
  expect(lag.seconds()).toBe(62);
  lag.stored(false);
  expect(lag.seconds()).toBe(0);
});

test("after a full batch the lag stands, because more of that age is likely to come", () => {
  const { clock, lag } = lagAt();
  lag.received(97_000);
  lag.stored(true);
  clock.nowMs += 400;
  expect(lag.seconds()).toBe(3);
  lag.received(99_400);
  lag.stored(false);
  expect(lag.seconds()).toBe(0);
});

test("a clock that is behind the writer's makes no negative lag", () => {
  const { lag } = lagAt();
  lag.received(100_500);
  expect(lag.seconds()).toBe(0);
});
