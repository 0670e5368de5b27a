import { expect, test } from "vitest";
import { restartDelayMs } from "./backoff.ts";

test("doubles up to ten seconds, and adds at most a fifth", () => {
  expect([0, 1, 2, 5, 6, 1000].map((restarts) => restartDelayMs(restarts, 0))).toEqual([
    250, 500, 1000, 8000, 10_000, 10_000,
  ]);
  expect(restartDelayMs(1000, 1)).toBe(12_000);
});
