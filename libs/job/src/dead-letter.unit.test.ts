import { expect, test } from "vitest";
import { isDeadLetter, isRedrivable } from "./dead-letter.ts";
import { jobError } from "./failure.ts";
import { recordIn } from "./testing/index.ts";

test("a failed job is a dead letter when its tries are used up or its runs died, and not for a permanent error", () => {
  expect(isDeadLetter(recordIn("failed"), 3)).toBe(false);
  expect(isDeadLetter(recordIn("failed", { failures: 3, error: jobError("SOURCE_TIMEOUT", "read-source") }), 3)).toBe(
    true,
  );
  expect(isDeadLetter(recordIn("failed", { error: jobError("DEAD_LETTERED", "claim") }), 3)).toBe(true);
  expect(isDeadLetter(recordIn("cancelled", { failures: 3 }), 3)).toBe(false);
});

test("only dead letters are redriven; one that goes on already is met again by a second click", () => {
  const dead = { failures: 3, error: jobError("SOURCE_TIMEOUT", "read-source") };
  expect(isRedrivable(recordIn("failed", dead), 3)).toBe(true);
  for (const status of ["queued", "running"] as const) {
    expect(isRedrivable(recordIn(status, { generation: 2 }), 3)).toBe(true);
    expect(isRedrivable(recordIn(status), 3)).toBe(false);
  }
  for (const status of ["paused", "completed", "failed", "cancelled", "expired"] as const) {
    expect(isRedrivable(recordIn(status, { generation: 2 }), 3)).toBe(false);
  }
});
