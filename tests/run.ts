/**
 * `npm test`: every check and every test of the repository, one step after the other. A step that fails does not stop
 * the ones after it; Ctrl-C stops the step that runs, with everything it started. The last line is always
 * `N passed, N failed, N skipped`, and the exit code is 0 only if nothing failed.
 */
import { environment } from "../libs/runtime/src/environment.ts";
import { runStep, type Scale, type StepResult, steps } from "./runner/step.ts";
import { summary } from "./runner/summary.ts";

const STEPS = steps("short").map((step) => step.name);
const USAGE = `Usage: npm test [-- [--full] [STEP...]]
  --full   the long form of the tests that have one (also TEST_SCALE=full)
  STEP     only these steps: ${STEPS.join(", ")}`;

async function main(args: string[]): Promise<number> {
  const wanted = args.filter((arg) => arg !== "--full");
  const scale: Scale = args.includes("--full") || environment.TEST_SCALE === "full" ? "full" : "short";
  const unknown = wanted.filter((arg) => !STEPS.includes(arg));
  if (unknown.length > 0) {
    console.error(`There is no test step ${unknown.join(", ")}.\n${USAGE}`);
    return 2;
  }
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupt.abort());
  }
  const results: StepResult[] = [];
  for (const step of steps(scale).filter((it) => wanted.length === 0 || wanted.includes(it.name))) {
    if (interrupt.signal.aborted) {
      break;
    }
    console.log(`\n── ${step.about}: ${step.command.join(" ")}`);
    results.push(await runStep(step, scale, interrupt.signal));
  }
  console.log(summary(results));
  if (interrupt.signal.aborted) {
    return 130;
  }
  return results.every((result) => result.tally.failed === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
