import { expect, test } from "vitest";
import { changed, DAY, given } from "./testing/decisions.ts";
import { at, recordIn } from "./testing/index.ts";

test.each(["queued", "running", "paused"] as const)("a %s job past its deadline ends by it", (status) => {
  const change = changed(given(status, "expire", {}, at(7 * DAY)));

  expect(change.type).toBe("download.expired.v1");
  expect(change.record).toMatchObject({
    status: "expired",
    run: null,
    checkpoint: null,
    completedAt: at(7 * DAY).toISOString(),
    error: { code: "DEADLINE_EXCEEDED", retryable: false },
  });
});

test("a completed job keeps its end, and the description of what was made", () => {
  const before = recordIn("completed");
  const change = changed(given("completed", "expire", {}, at(2 + DAY)));

  expect(change.record).toEqual({ ...before, status: "expired", updatedAt: at(2 + DAY).toISOString() });
});

test.each(["queued", "running", "paused", "completed"] as const)(
  "a %s job that is not due yet is left alone",
  (status) => {
    expect(given(status, "expire", {}, at(DAY))).toEqual({ kind: "same" });
  },
);
