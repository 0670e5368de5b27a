import type { Checkpoint, JobRecord, JobResult, Outcomes, Plan, Progress, Usage } from "@longhaul/contracts";
import { completed, failed, handedBack, jobError, onFenced, retrying, type SettlePolicy, settle } from "@longhaul/job";
import { type AdmissionDeps, otherItemAlive } from "./admission.ts";
import type { DeliverySlot } from "./delivery-slot.ts";
import { type HeldJob, occasion } from "./held-job.ts";
import { asJobFailure, type JobFailure } from "./job-failure.ts";
import type { Delivery } from "./ports.ts";
import { RunLost, ShuttingDown } from "./run-lost.ts";

/** A job that was handed back is taken up by another worker after this time, at most. */
const HAND_BACK_NAK_MS = 100;

/** What the work of a job comes to; `plan` left out: as the record has it. */
export type Completion = {
  result: JobResult;
  outcomes: Outcomes;
  progress: Progress;
  plan?: Plan | undefined;
};

/** What a run says of its work. `outcomes` null: what became of files counts no more. */
export type WorkState = { checkpoint?: Checkpoint; outcomes?: Outcomes | null; plan?: Plan };

/** What the work has of its run. */
export type WorkContext = {
  /** Aborted when the run is to stop; the work then ends as soon as it can, with the signal's reason. */
  signal: AbortSignal;
  report(progress: Progress): void;
  /** Counts what the work uses: it goes into the record with whatever is written next, also when the try fails. */
  used(more: Partial<Usage>): void;
  /** Writes what the files are, where the result is being made and how far it is; what is left out stays. Throws `RunLost`. */
  checkpoint(state: WorkState): Promise<void>;
  /** Says that a wait is for what others hold, which takes as long as it takes: the work does not stand still. */
  waiting<T>(wait: Promise<T>): Promise<T>;
};

/** The work itself: makes the result. */
export type Work = (record: JobRecord, context: WorkContext) => Promise<Completion>;

export type RunDeps = AdmissionDeps & { policy: SettlePolicy };

/** How a run ended, for the log and the metrics. */
export type RunEnd = {
  /** `waiting`: for a store or a source that is away, as `retrying` but without having used up a try. */
  outcome: "completed" | "failed" | "retrying" | "waiting" | "handedback" | "fenced" | "unanswered";
  failure?: JobFailure;
};

/**
 * Carries a claimed job to an end: does the work, writes what came of it, and only then answers the item. `stop` ends
 * the work early; its reason says why. A lost run writes nothing and touches nothing.
 */
export async function conclude(
  held: HeldJob,
  delivery: Delivery,
  slot: DeliverySlot,
  work: () => Promise<Completion>,
  stop: AbortSignal,
  deps: RunDeps,
): Promise<RunEnd> {
  try {
    try {
      stop.throwIfAborted();
      const completion = await work();
      stop.throwIfAborted();
      await held.write(completed(held.record, { ...completion, ...end(held, deps) }));
      slot.ack();
      return { outcome: "completed" };
    } catch (error) {
      return await settleError(held, slot, stop.aborted ? stop.reason : error, deps);
    }
  } catch (error) {
    if (!(error instanceof RunLost)) throw error;
    return letGo(error, delivery, slot, deps);
  }
}

/** Writes what an error means for the job, then answers the item. Throws `RunLost` when the job is no longer ours. */
async function settleError(held: HeldJob, slot: DeliverySlot, error: unknown, deps: RunDeps): Promise<RunEnd> {
  if (error instanceof RunLost) throw error;
  if (error instanceof ShuttingDown) {
    await held.write(handedBack(held.record, end(held, deps)));
    slot.nak(HAND_BACK_NAK_MS);
    return { outcome: "handedback" };
  }
  const failure = asJobFailure(error);
  const verdict = settle(failure, held.record, deps.policy, deps.random.unit());
  const details = { error: jobError(failure.code, failure.stage, failure.fileId), ...end(held, deps) };
  if (verdict.do === "fail") {
    await held.write(failed(held.record, { ...details, ...filesOf(held.record, failure) }));
    slot.ack();
    return { outcome: "failed", failure };
  }
  const retryAt = new Date(deps.clock.now() + verdict.delayMs);
  await held.write(retrying(held.record, { ...details, retryAt, waitsFor: verdict.waitsFor }));
  slot.nak(verdict.delayMs);
  return { outcome: verdict.waitsFor ? "waiting" : "retrying", failure };
}

/** What every end of a run says: when, and what the job has used so far. */
const end = (held: HeldJob, deps: RunDeps) => ({ ...occasion(held.record, deps), usage: held.usage });

/** What a failure tells of the job's files, when all have failed; the only file of a job fails with it. */
function filesOf(
  { spec, progress }: JobRecord,
  { code, fileId, fileErrors }: JobFailure,
): { outcomes?: Outcomes; progress?: Progress } {
  const only: Outcomes["exceptions"] | null = spec.filesTotal === 1 && fileId !== null ? [[0, code]] : null;
  const exceptions = fileErrors ?? only;
  if (exceptions === null) return {};
  return {
    outcomes: { doneThrough: spec.filesTotal, exceptions },
    progress: { ...progress, filesFailed: spec.filesTotal },
  };
}

/** Acks the item of a lost run only when the job's state says that its generation is over or another item carries it. */
async function letGo(lost: RunLost, delivery: Delivery, slot: DeliverySlot, deps: RunDeps): Promise<RunEnd> {
  if (lost.reason === "fenced") {
    try {
      const newest = (await deps.jobs.newest(delivery.id))?.record ?? null;
      const alive = await otherItemAlive(newest, delivery, deps.items);
      if (onFenced(newest, delivery, { otherItemAlive: alive }) === "ack") slot.ack();
    } catch (error) {
      deps.log.warn({ err: error, job_id: delivery.id }, "a lost job could not be read; its item comes again");
    }
  }
  return { outcome: lost.reason };
}
