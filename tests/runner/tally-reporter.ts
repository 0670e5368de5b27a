import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Tally } from "./tally.ts";

/**
 * Tells the process that started vitest how many tests passed, failed and were skipped, over Node's IPC channel; does
 * nothing where there is none. (The JSON reporter of vitest leaves out why a test was skipped.)
 */
export class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    process.send?.(tallyOf(modules, unhandledErrors.length));
  }
}

function tallyOf(modules: readonly TestModule[], unhandledErrors: number): Tally {
  const tally: Tally = { passed: 0, failed: unhandledErrors, skipped: [] };
  for (const module of modules) {
    // A file that does not load, and a hook that fails, have no test of their own to fail.
    const suites = [module, ...module.children.allSuites()];
    tally.failed += suites.filter((suite) => suite.errors().length > 0).length;
    for (const test of module.children.allTests()) {
      addTest(tally, test);
    }
  }
  return tally;
}

function addTest(tally: Tally, test: TestCase): void {
  const result = test.result();
  if (result.state === "passed") {
    tally.passed += 1;
  } else if (result.state === "skipped") {
    const reason = result.note ?? (test.options.mode === "todo" ? "not written yet" : "no reason given");
    tally.skipped.push({ name: `${test.module.relativeModuleId} > ${test.fullName}`, reason });
  } else {
    tally.failed += 1;
  }
}
