import type { Clock, Random } from "@longhaul/runtime";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";

/** When virtual time begins, by the wall clock of the simulated machines. */
export const EPOCH = Date.UTC(2026, 2, 1, 12);
/** What waited for a frozen process is run this close together when it goes on. */
const THAW_SPACING_MS = 2;

/**
 * A process of the simulated world. All that reaches the code that runs in it (timers, answers, messages) goes through
 * `run`: a frozen process gets it late, a dead one never, so that what the code was waiting for never settles.
 */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #atDeath: (() => void)[] = [];
  #state: "running" | "frozen" | "dead" = "running";
  #kept: (() => void)[] = [];

  constructor(name: string, scheduler: Scheduler, prng: Prng) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.clock = {
      now: () => EPOCH + Math.floor(scheduler.now),
      monotonic: () => scheduler.now,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
    this.random = {
      id: () => uuidOf(prng),
      token: () => Buffer.from(prng.hex(16), "hex").toString("base64url"),
      hex: (bytes) => prng.hex(bytes),
      unit: () => prng.unit(),
    };
  }

  get state(): "running" | "frozen" | "dead" {
    return this.#state;
  }

  /** Runs the task in this process: now, when it thaws, or never. */
  run(task: () => void): void {
    if (this.#state === "running") task();
    else if (this.#state === "frozen") this.#kept.push(task);
  }

  /** A timer of this process. */
  after(ms: number, task: () => void): { cancel(): void } {
    return this.#scheduler.after(ms, () => this.run(task));
  }

  /** Like SIGKILL. */
  kill(): void {
    this.#state = "dead";
    this.#kept = [];
    for (const task of this.#atDeath) task();
  }

  /** What the rest of the world does when this process dies: its connections break. */
  atDeath(task: () => void): void {
    this.#atDeath.push(task);
  }

  /** Like SIGSTOP. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** Like SIGCONT. What came meanwhile is worked off; timers and messages overtake one another. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const kept = this.#kept;
    this.#kept = [];
    kept.forEach((task, i) => {
      const place = this.#prng.chance(0.2) ? this.#prng.int(0, kept.length) : i;
      this.after(place * THAW_SPACING_MS, task);
    });
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = this.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function uuidOf(prng: Prng): string {
  const hex = prng.hex(16);
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
    hex.slice(20),
  ].join("-");
}
