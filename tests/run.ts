/**
 * `npm test`: every check and every test of the repository, one step after the other. A step that fails does not stop
 * the ones after it; Ctrl-C stops the step that runs, with everything it started. The last line is always
 * `N passed, N failed, N skipped`, and the exit code is 0 only if nothing failed.
 */
import { environment } from "../libs/runtime/src/environment.ts";
import { runStep, type Scale, type StepResult, steps } from "./runner/step.ts";
import { summary } from "./runner/summary.ts";

const USAGE = "Usage: npm test [-- --full]   (--full, or TEST_SCALE=full: the long form of the tests that have one)";

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--full");
  if (unknown.length > 0) {
    console.error(`Unknown argument ${unknown.join(" ")}.\n${USAGE}`);
    return 2;
  }
  const scale: Scale = args.includes("--full") || environment.TEST_SCALE === "full" ? "full" : "short";
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupt.abort());
  }
  const results: StepResult[] = [];
  for (const step of steps(scale)) {
    if (interrupt.signal.aborted) {
      break;
    }
    console.log(`\n── ${step.name}: ${step.command.join(" ")}`);
    results.push(await runStep(step, scale, interrupt.signal));
  }
  console.log(summary(results));
  if (interrupt.signal.aborted) {
    return 130;
  }
  return results.every((result) => result.tally.failed === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
