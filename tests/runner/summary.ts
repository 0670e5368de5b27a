import type { StepResult } from "./step.ts";
import { total } from "./tally.ts";

/** The end of a test run for people: a line for each step, what was skipped and why, and the one line of totals. */
export function summary(results: StepResult[]): string {
  const all = total(results.map((result) => result.tally));
  const skipped = all.skipped.map(({ name, reason }) => `  ${name}: ${reason}`);
  return [
    "",
    ...results.map(stepLine),
    ...(skipped.length > 0 ? ["", "Skipped:", ...skipped] : []),
    "",
    `${all.passed} passed, ${all.failed} failed, ${all.skipped.length} skipped`,
  ].join("\n");
}

function stepLine({ step, tally, durationMs, problem }: StepResult): string {
  const counts = step.kind === "tests" ? `${tally.passed}/${tally.passed + tally.failed}` : "";
  const columns = [
    tally.failed === 0 ? "ok  " : "FAIL",
    step.name.padEnd(10),
    step.about.padEnd(32),
    `${(durationMs / 1000).toFixed(1)} s`.padStart(8),
    counts.padStart(9),
    problem ?? "",
  ];
  return columns.join("  ").trimEnd();
}
