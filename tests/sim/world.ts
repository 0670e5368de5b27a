import { EventLog, seconds } from "./kernel/event-log.ts";
import { Prng } from "./kernel/prng.ts";
import { Scheduler } from "./kernel/scheduler.ts";
import { Statistics } from "./kernel/statistics.ts";
import type { Options } from "./options.ts";

/** A promise of the design that a history broke. */
export type Violation = { promise: string; job: string | null; at: number; history: string[] };

/** Something that may rightly make a run look dead. `process`, `job`: null = whichever. */
export type Disturbance = { at: number; process: string | null; job: string | null };

/** What all parts of one simulated history share. */
export class World {
  readonly seed: number;
  readonly options: Options;
  readonly scheduler = new Scheduler();
  readonly statistics = new Statistics();
  readonly log = new EventLog(() => this.scheduler.now);
  readonly disturbances: Disturbance[] = [];
  violation: Violation | null = null;
  /** Until then every process's breaker of the store is open. */
  storeAwayUntil = 0;
  readonly #prng: Prng;

  constructor(seed: number, options: Options) {
    this.seed = seed;
    this.options = options;
    this.#prng = new Prng(seed);
  }

  get now(): number {
    return this.scheduler.now;
  }

  /** Whether things still go wrong. */
  get faulty(): boolean {
    return this.scheduler.now < this.options.faultsEndMs;
  }

  /** Random numbers for one part of the world. */
  prng(name: string): Prng {
    return this.#prng.fork(name);
  }

  /** Whether a fault of this probability strikes now. */
  strikes(prng: Prng, probability: number): boolean {
    return probability > 0 && this.faulty && prng.chance(probability);
  }

  disturb(why: string, of: Partial<Pick<Disturbance, "process" | "job">>): void {
    this.statistics.count(why);
    this.disturbances.push({ at: this.now, process: null, job: null, ...of });
  }

  /** The first broken promise ends the history; what follows from it would only hide it. */
  violate(promise: string, job: string | null): void {
    this.violation ??= { promise, job, at: this.now, history: this.log.tail(job) };
  }
}

/** A violation for people. */
export function describeViolation(seed: number, { promise, job, at, history }: Violation): string {
  return [
    `VIOLATION with seed ${seed} at ${seconds(at).trim()}${job ? `, job ${job}` : ""}`,
    `  ${promise}`,
    "  What happened before:",
    ...history.map((line) => `  ${line}`),
  ].join("\n");
}
