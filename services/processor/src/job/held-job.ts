import type { JobRecord, Progress, Usage } from "@longhaul/contracts";
import {
  addUsage,
  type Change,
  isLive,
  lifetimeSeconds,
  type Occasion,
  type RetentionPolicy,
  userHash,
} from "@longhaul/job";
import { type Clock, type Random, traceIdOf } from "@longhaul/runtime";
import type { Jobs, ProgressChannel, PutResult } from "./ports.ts";
import { RunLost } from "./run-lost.ts";

/** A `JOBS` at its byte bound is asked again after this time, ±50 %. */
const FULL_RETRY_MS = 500;

export type HeldJobDeps = {
  jobs: Jobs;
  progress: ProgressChannel;
  clock: Clock;
  random: Random;
  /** Names this process in the events that it writes. */
  source: string;
  retention: Pick<RetentionPolicy, "retryWindowFailedSeconds" | "retryWindowCancelledSeconds">;
  /** A write that is not answered within this time is given up. */
  writeDeadlineMs: number;
};

/**
 * A job that this process runs, as it last wrote it. Every write names the sequence of the one before; the first that
 * is refused ends the run with `RunLost`.
 */
export class HeldJob {
  readonly #deps: HeldJobDeps;
  #seq: number;
  #record: JobRecord;
  #usage: Usage;
  #writing = false;
  #progressSent = 0;

  constructor(deps: HeldJobDeps, seq: number, record: JobRecord) {
    this.#deps = deps;
    this.#seq = seq;
    this.#record = record;
    this.#usage = record.usage;
  }

  get seq(): number {
    return this.#seq;
  }

  get record(): JobRecord {
    return this.#record;
  }

  /** What the job has used so far, in all its runs. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Says that this run has used so much more. */
  used(more: Partial<Usage>): void {
    this.#usage = addUsage(this.#usage, more);
  }

  now(): Date {
    return new Date(this.#deps.clock.now());
  }

  /** Writes the next state. Throws `RunLost` when somebody else wrote first or no answer came in time. */
  async write(change: Change): Promise<void> {
    this.#writing = true;
    try {
      const result = await putUntilDeadline(this.#deps, this.#seq, change, this.#record);
      if (result.kind === "conflict") throw new RunLost("fenced");
      if (result.kind !== "done") throw new RunLost("unanswered");
      if (result.superseded || !isLive(result.record)) throw new RunLost("fenced");
      this.#seq = result.seq;
      this.#record = result.record;
      this.#progressSent = 0;
    } finally {
      this.#writing = false;
    }
  }

  /** Sends progress that counts on top of the last write. Nothing goes out while a write is unanswered, or after the end. */
  sendProgress(progress: Progress): void {
    if (this.#writing || this.#record.status !== "running") return;
    const { id, tenant, user, traceparent } = this.#record;
    this.#progressSent += 1;
    const message = { userHash: userHash(tenant, user), seq: this.#seq, n: this.#progressSent, progress };
    this.#deps.progress.publish(id, message, traceparent);
  }

  /** Asks the leader whether the job is still as this run wrote it. Throws `RunLost` when it is not. */
  async verify(): Promise<void> {
    if (this.#writing) return;
    const expected = this.#seq;
    const newest = await this.#deps.jobs.newest(this.#record.id);
    const seen = newest?.seq ?? 0;
    const run = newest !== null && isLive(newest.record) ? newest.record.run?.id : undefined;
    // A write that was begun meanwhile may take long to learn the same.
    const isAnothers = seen > this.#seq && run !== this.#record.run?.id;
    const isMoved = !this.#writing && expected === this.#seq && seen !== expected;
    if (isAnothers || isMoved) throw new RunLost("fenced");
  }
}

/** One write, asked again while `JOBS` is full; after the deadline `unknown`. */
export async function putUntilDeadline(
  deps: HeldJobDeps,
  seq: number,
  change: Change,
  { id, traceparent }: JobRecord,
): Promise<PutResult> {
  const { clock, random, jobs } = deps;
  const ttlSeconds = lifetimeSeconds(change.record, deps.retention, random.unit());
  const endAt = clock.monotonic() + deps.writeDeadlineMs;
  for (;;) {
    const deadlineMs = endAt - clock.monotonic();
    if (deadlineMs <= 0) return { kind: "unknown" };
    const result = await jobs.put(id, seq, change, {
      deadlineMs,
      traceparent,
      source: deps.source,
      ...(ttlSeconds === null ? {} : { ttlSeconds }),
    });
    if (result.kind !== "full") return result;
    await clock.sleep(FULL_RETRY_MS * (0.5 + random.unit()));
  }
}

/** Now, in the trace of the job's request. */
export function occasion({ traceparent }: JobRecord, { clock }: { clock: Clock }): Occasion {
  return { now: new Date(clock.now()), traceId: traceIdOf(traceparent) ?? undefined };
}
