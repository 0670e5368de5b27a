import { expect, test } from "vitest";
import { isDeadLetter } from "./dead-letter.ts";
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
