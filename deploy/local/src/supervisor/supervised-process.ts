import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Environment } from "@longhaul/runtime";
import { StackError } from "../stack-error.ts";
import { restartDelayMs, SETTLED_AFTER_MS } from "./backoff.ts";
import { logTail, openLog } from "./log-file.ts";
import { until } from "./until.ts";
import type { Kind, Watchdog } from "./watchdog.ts";

/** How a service ends whose settings are wrong (EX_CONFIG of sysexits.h): it would end so each time. */
const EXIT_CONFIG = 78;

/** A process to be kept running. */
export type ProcessSpec = {
  name: "nats" | "mongodb" | "s3" | "gateway" | "processor" | "notifier";
  kind: Kind;
  command: string;
  args: readonly string[];
  env: Environment;
  cwd: string;
  logFile: string;
  ports: { http?: number; metrics?: number; client?: number };
  /** True once it can be used. */
  ready: () => Promise<boolean>;
  readyTimeoutMs: number;
  /** How long it may take to stop after SIGTERM; 0 = it is simply ended. */
  stopGraceMs: number;
};

export type SupervisedProcess = {
  readonly spec: ProcessSpec;
  /** The process that runs now; null while it is down. */
  readonly pid: () => number | null;
  /** SIGTERM, its grace, then SIGKILL; it is not started again. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL at once. */
  kill(): void;
};

export type Supervision = {
  watchdog: Watchdog;
  say: (line: string) => void;
  onChange: () => void;
  signal?: AbortSignal;
};

/**
 * Starts a process and waits until it is ready; from then on it is started again, with backoff, whenever it ends, unless its
 * settings are wrong.
 */
export async function startSupervised(spec: ProcessSpec, supervision: Supervision): Promise<SupervisedProcess> {
  const keeper = new Keeper(spec, supervision);
  await keeper.first();
  return keeper;
}

class Keeper implements SupervisedProcess {
  readonly spec: ProcessSpec;
  readonly #supervision: Supervision;
  #child: ChildProcess | null = null;
  #startedAt = 0;
  /** Where in its log the process that runs now, or ran last, begins. */
  #logBegin = 0;
  #restarts = 0;
  #keep = false;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(spec: ProcessSpec, supervision: Supervision) {
    this.spec = spec;
    this.#supervision = supervision;
  }

  readonly pid = (): number | null => this.#child?.pid ?? null;

  async first(): Promise<void> {
    const { name, logFile, readyTimeoutMs } = this.spec;
    this.#spawn();
    const ready = await until(async () => this.#child === null || (await this.spec.ready()), {
      timeoutMs: readyTimeoutMs,
    });
    if (ready && this.#child !== null) {
      this.#keep = true;
      return;
    }
    const ended = this.#child === null;
    const what = ended ? "ended while it started" : `was not ready after ${Math.round(readyTimeoutMs / 1000)} s`;
    await this.stop();
    const log = indent(logTail(logFile, this.#logBegin, 12));
    throw new StackError(`${name} ${what}. The end of its log (${logFile}):\n${log}`, {
      code: ended ? "ENDED_AT_START" : "START_FAILED",
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGTERM");
    if (!(await until(() => this.#child === null, { timeoutMs: this.spec.stopGraceMs, everyMs: 20 }))) {
      if (this.spec.stopGraceMs > 0) {
        this.#supervision.say(`${this.spec.name} did not stop in ${this.spec.stopGraceMs / 1000} s and was ended`);
      }
      this.kill();
      await until(() => this.#child === null, { timeoutMs: 5_000, everyMs: 20 });
    }
  }

  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  #spawn(): void {
    const { command, args, env, cwd, logFile, kind } = this.spec;
    const { descriptor: log, size } = openLog(logFile);
    this.#logBegin = size;
    // A session of its own: a Ctrl-C at the terminal goes to the supervisor alone, which stops things in order.
    // A service also gets a channel whose closing tells it that its supervisor is gone.
    const child = spawn(command, args, {
      env,
      cwd,
      detached: true,
      stdio: kind === "service" ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#startedAt = performance.now();
    if (child.pid !== undefined) {
      this.#supervision.watchdog.add(kind, child.pid);
    }
    child.once("error", () => this.#ended(child, "could not be started", null));
    child.once("exit", (code, signal) =>
      this.#ended(child, signal ? `was ended by ${signal}` : `ended with code ${code}`, code),
    );
    this.#supervision.onChange();
  }

  #ended(child: ChildProcess, how: string, code: number | null): void {
    if (this.#child !== child) {
      return;
    }
    this.#child = null;
    if (child.pid !== undefined) {
      this.#supervision.watchdog.remove(child.pid);
    }
    if (this.#stopping || !this.#keep) {
      return;
    }
    if (code === EXIT_CONFIG) {
      this.#supervision.say(
        `${this.spec.name} ended because its settings are wrong, and is not started again. Its log says which: ${this.spec.logFile}`,
      );
      this.#supervision.onChange();
      return;
    }
    if (performance.now() - this.#startedAt > SETTLED_AFTER_MS) {
      this.#restarts = 0;
    }
    const delayMs = restartDelayMs(this.#restarts++, Math.random());
    this.#supervision.say(
      `${this.spec.name} ${how}; it is started again in ${(delayMs / 1000).toFixed(1)} s (log: ${this.spec.logFile})`,
    );
    this.#timer = setTimeout(() => this.#spawn(), delayMs);
    this.#supervision.onChange();
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
