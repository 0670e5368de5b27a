import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { environment } from "../../libs/runtime/src/environment.ts";
import type { Tally } from "./tally.ts";

const MINUTE = 60_000;
/** How long a step may take to end after it was asked to, in milliseconds. */
const GRACE_MS = 15_000;

/** One step of the test run: a command, and whether it counts its own tests (`tests`) or as one test (`check`). */
export type Step = { name: string; about: string; kind: "check" | "tests"; command: string[]; timeoutMs: number };

export type Scale = "short" | "full";

export type StepResult = { step: Step; tally: Tally; durationMs: number; problem: string | null };

/** Everything `npm test` runs, in this order. */
export function steps(scale: Scale): Step[] {
  const patience = scale === "full" ? 6 : 1;
  const check = (name: string, about: string, ...command: string[]): Step => {
    return { name, about, kind: "check", command, timeoutMs: 3 * MINUTE };
  };
  const tests = (name: string, about: string, minutes: number): Step => {
    const command = ["vitest", "run", "--project", name];
    return { name, about, kind: "tests", command, timeoutMs: minutes * MINUTE * patience };
  };
  return [
    check("lint", "format, lint and import rules", "biome", "check", "--error-on-warnings"),
    check("types", "types", "tsc", "--project", "tsconfig.json"),
    check("dead-code", "dead code and dependencies", "knip", "--no-progress"),
    tests("unit", "unit tests", 5),
    tests("int", "tests against real servers", 10),
    tests("e2e", "tests against the running stack", 15),
  ];
}

/**
 * Runs a step in a process group of its own, its output going straight to ours. When `signal` is aborted or the time
 * is up the whole group is asked to end and, after a while, made to.
 */
export async function runStep(step: Step, scale: Scale, signal: AbortSignal): Promise<StepResult> {
  const startedAt = performance.now();
  const [command = "", ...args] = step.command;
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...environment,
      PATH: [resolve("node_modules/.bin"), environment.PATH].join(delimiter),
      TEST_SCALE: scale,
      ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }),
    },
  });
  let counted: Tally | null = null;
  child.on("message", (message) => {
    counted = message as Tally;
  });
  const stopped = AbortSignal.any([signal, AbortSignal.timeout(step.timeoutMs)]);
  const ended = await new Promise<string | null>((done) => {
    child.once("error", (error) => done(`could not be started: ${error.message}`));
    child.once("exit", (code, killedBy) => {
      signalGroup(child.pid, "SIGKILL"); // whatever it left behind
      done(code === 0 ? null : `ended with ${killedBy ?? `exit code ${code}`}`);
    });
    stopped.addEventListener("abort", () => endGroup(child.pid), { once: true });
  });
  const problem = signal.aborted
    ? "interrupted"
    : stopped.aborted
      ? `not done after ${step.timeoutMs / MINUTE} minutes`
      : ended;
  return { step, tally: tallyOf(step, counted, problem), durationMs: performance.now() - startedAt, problem };
}

function tallyOf(step: Step, counted: Tally | null, problem: string | null): Tally {
  if (step.kind === "check" || counted === null) {
    const passed = step.kind === "check" && problem === null;
    return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: [] };
  }
  // A run that failed must never look like one that passed, whatever the count says.
  return problem !== null && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

function endGroup(pid: number | undefined): void {
  signalGroup(pid, "SIGINT");
  setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MS).unref();
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
