import { expect, test } from "vitest";
import type { StepResult } from "./step.ts";
import { summary } from "./summary.ts";
import type { Tally } from "./tally.ts";

function result(name: string, kind: "check" | "tests", tally: Tally, problem: string | null = null): StepResult {
  return { step: { name, about: name, kind, command: [name], timeoutMs: 1 }, tally, durationMs: 1234, problem };
}

test("the last line adds up all steps, and every skipped test is listed with its reason", () => {
  const lines = summary([
    result("types", "check", { passed: 1, failed: 0, skipped: [] }),
    result("unit tests", "tests", { passed: 5, failed: 0, skipped: [{ name: "a > b", reason: "needs Docker" }] }),
    result("int tests", "tests", { passed: 3, failed: 2, skipped: [] }, "ended with exit code 1"),
  ]).split("\n");

  expect(lines.at(-1)).toBe("9 passed, 2 failed, 1 skipped");
  expect(lines).toContain("  a > b: needs Docker");
  expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([expect.stringContaining("ended with exit code 1")]);
  expect(lines.filter((line) => line.startsWith("ok"))).toHaveLength(2);
});
