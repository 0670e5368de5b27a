import { expect, test } from "vitest";
import { chooseLane, LANE_REFILL_MS, type LaneBucket } from "./lane.ts";

/** The lanes of jobs at these times, in seconds. */
function lanesAt(seconds: number[], burst = 5): string {
  let bucket: LaneBucket | null = null;
  return seconds
    .map((second) => {
      const chosen = chooseLane(bucket, second * 1000, burst);
      bucket = chosen.bucket;
      return chosen.lane;
    })
    .join(" ");
}

test("a user's first jobs are fast, the rest of a flood is bulk", () => {
  expect(lanesAt([0, 0, 0, 0, 0, 0, 0])).toBe("fast fast fast fast fast bulk bulk");
});

test("tokens come back one by one, five a minute", () => {
  expect(lanesAt([0, 0, 0, 0, 0, 11.9, 12, 12, 24, 24])).toBe("fast fast fast fast fast bulk fast bulk fast bulk");
});

test("a flood that goes on does not keep the bucket from filling", () => {
  const everySecond = Array.from({ length: 65 }, (_, i) => i);
  expect(
    lanesAt(everySecond)
      .split(" ")
      .filter((lane) => lane === "fast"),
  ).toHaveLength(10);
});

test("a bucket never holds more than it did at first", () => {
  expect(lanesAt([0, 3600, 3600, 3600], 2)).toBe("fast fast fast bulk");
  expect(chooseLane({ tokens: 0, at: 0 }, LANE_REFILL_MS, 5).bucket).toEqual({ tokens: 4, at: LANE_REFILL_MS });
});

test("a clock that goes back takes nothing away", () => {
  expect(chooseLane({ tokens: 1, at: 1000 }, 0, 5).lane).toBe("fast");
});
