import { isLive } from "@longhaul/job";
import type { Clock, Logger } from "@longhaul/runtime";
import type { DeliverySlot } from "./delivery-slot.ts";
import type { HeldJob } from "./held-job.ts";
import type { Jobs, Stored } from "./ports.ts";
import { RunLost } from "./run-lost.ts";

/** A run that lasts so long is watched: what is over sooner would pay more for its subscription than for its writes. */
const WATCH_AFTER_MS = 250;

export type RunGuardDeps = { clock: Clock; jobs: Pick<Jobs, "watch">; ackWaitMs: number; log: Logger };

/**
 * Keeps a run's delivery from being given to another worker, and sees when the run is lost: says `working` every third
 * of ack_wait, and follows what is stored of the job. Does both when `look` is called, so that one timer does for all runs.
 */
export class RunGuard {
  readonly #slot: DeliverySlot;
  readonly #held: HeldJob;
  readonly #onLost: (lost: RunLost) => void;
  readonly #deps: RunGuardDeps;
  readonly #beganAt: number;
  #verifiedAt: number;
  #unwatch: (() => void) | null = null;

  constructor(slot: DeliverySlot, held: HeldJob, onLost: (lost: RunLost) => void, deps: RunGuardDeps) {
    this.#slot = slot;
    this.#held = held;
    this.#onLost = onLost;
    this.#deps = deps;
    this.#beganAt = deps.clock.monotonic();
    this.#verifiedAt = this.#beganAt;
  }

  /** To be called more often than every twelfth of ack_wait. After a stall of the process the job is read before anything else. */
  look(): void {
    const now = this.#deps.clock.monotonic();
    const beatMs = this.#deps.ackWaitMs / 3;
    if (this.#unwatch === null && now - this.#beganAt >= WATCH_AFTER_MS) this.#watch();
    if (!this.#slot.stale) {
      if (this.#slot.silentMs >= beatMs) this.#slot.working();
    } else if (now - this.#verifiedAt >= beatMs) void this.verify();
  }

  /** Reads the job, and tells when the run was lost. A read that fails changes nothing: the next write will tell. */
  async verify(): Promise<void> {
    this.#verifiedAt = this.#deps.clock.monotonic();
    try {
      await this.#held.verify();
    } catch (error) {
      if (error instanceof RunLost) this.#onLost(error);
      else {
        const { id } = this.#held.record;
        this.#deps.log.warn({ job_id: id, err: error }, "could not read a running job; its next write will tell");
      }
    }
  }

  end(): void {
    this.#unwatch?.();
  }

  #watch(): void {
    const { jobs, log } = this.#deps;
    const { id } = this.#held.record;
    try {
      this.#unwatch = jobs.watch(id, (stored) => this.#onWrite(stored));
      // What was written before somebody listened is found by reading.
      void this.verify();
    } catch (error) {
      log.warn({ job_id: id, err: error }, "could not follow a running job; the next look tries again");
    }
  }

  /** The run is lost as soon as a stored write shows that the job is no longer this run's. */
  #onWrite({ seq, record }: Stored): void {
    if (seq <= this.#held.seq) return;
    const run = isLive(record) ? record.run?.id : null;
    if (run !== this.#held.record.run?.id) this.#onLost(new RunLost("fenced"));
  }
}
