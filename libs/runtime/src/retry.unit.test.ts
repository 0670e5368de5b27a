import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "./retry.ts";

test("the ceiling doubles up to its maximum, and the wait is at least half of it", () => {
  const waits = (unit: number) =>
    [1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, { baseMs: 100, maxMs: 1000 }, unit));
  expect(waits(0)).toEqual([50, 100, 200, 400, 500]);
  expect(waits(1)).toEqual([100, 200, 400, 800, 1000]);
});

test("a wait is always finite and never above its maximum", () => {
  const attempt = fc.nat();
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const bounds = fc.record({
    baseMs: fc.integer({ min: 1, max: 60_000 }),
    maxMs: fc.integer({ min: 1, max: 600_000 }),
  });
  fc.assert(
    fc.property(attempt, bounds, unit, (n, { baseMs, maxMs }, u) => {
      const waitMs = backoffMs(n, { baseMs, maxMs }, u);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(maxMs);
    }),
  );
});
