import type {
  Checkpoint,
  JobError,
  JobErrorCode,
  JobRecord,
  JobResult,
  Outcomes,
  Plan,
  Progress,
  Run,
  Usage,
} from "@longhaul/contracts";
import { type Change, type Occasion, told } from "./change.ts";
import { endOf } from "./end.ts";
import { isPermanent, jobError } from "./failure.ts";
import { namesKeys } from "./named.ts";
import { atRest } from "./progress.ts";
import type { Away } from "./settle.ts";

/** `key`: a fresh random key under `results/` for a job that will own its result, else null. */
export type Claim = Occasion & { run: Run; key: string | null };

const NOTHING_UPLOADED = { parts: [], cursor: { entry: 0, offset: 0, crc: "00000000" }, sealed: null };

/** A worker takes the job. From here on, and not before, it may touch sources and object storage. */
export function claim(record: JobRecord, input: Claim): Change {
  return started(record, input, "started", record.crashes);
}

/** A worker takes the job from a run that died or froze. It goes on with the same try. */
export function takeOver(record: JobRecord, input: Claim): Change {
  return started(record, input, "takeover", record.crashes + 1);
}

function started(record: JobRecord, input: Claim, event: string, crashes: number): Change {
  const next: JobRecord = {
    ...record,
    ...uploadOf(record, input.key),
    status: "running",
    crashes,
    run: input.run,
    retryAt: null,
    startedAt: record.startedAt ?? input.now.toISOString(),
    progress: atRest(record.progress, "planning"),
  };
  const details = { run: input.run.id, worker: input.run.worker };
  return told("download.started.v1", namesKeys(next), event, input, details);
}

/**
 * Where the run will write. Only a key whose multipart upload exists is inherited: under a key without one, the run
 * before may still be putting an object of its own.
 */
function uploadOf(record: JobRecord, key: string | null): Pick<JobRecord, "checkpoint" | "outcomes"> {
  if (record.checkpoint?.upload.id) return { checkpoint: record.checkpoint, outcomes: record.outcomes };
  const checkpoint = key === null ? null : { upload: { key, id: null, partSize: 0 }, ...NOTHING_UPLOADED };
  return { checkpoint, outcomes: null };
}

/** Work done so far; `plan` or `usage` left out: as it was. */
export type CheckpointState = {
  checkpoint: Checkpoint | null;
  outcomes: Outcomes | null;
  progress: Progress;
  plan?: Plan | undefined;
  usage?: Usage | undefined;
  now: Date;
};

/**
 * The work so far is safe. When the next byte has moved on, the crashes before it count no more. A run may have to go on
 * before where the last one was; under the same upload the cursor stays, so that coming there again is no progress.
 */
export function checkpointed(record: JobRecord, state: CheckpointState): Change {
  const hasMoved = isFurther(record.checkpoint, state.checkpoint);
  const next: JobRecord = {
    ...record,
    plan: state.plan ?? record.plan,
    checkpoint: hasMoved ? state.checkpoint : withCursorOf(record.checkpoint, state.checkpoint),
    outcomes: state.outcomes,
    progress: state.progress,
    usage: state.usage ?? record.usage,
    crashes: hasMoved ? 0 : record.crashes,
    updatedAt: state.now.toISOString(),
  };
  return { type: "download.checkpoint.v1", record: namesKeys(next), entry: null };
}

function isFurther(before: Checkpoint | null, after: Checkpoint | null): boolean {
  const from = before?.cursor ?? NOTHING_UPLOADED.cursor;
  const to = after?.cursor ?? NOTHING_UPLOADED.cursor;
  return to.entry > from.entry || (to.entry === from.entry && to.offset > from.offset);
}

function withCursorOf(before: Checkpoint | null, after: Checkpoint | null): Checkpoint | null {
  const isSameUpload = before !== null && after !== null && before.upload.id === after.upload.id;
  return isSameUpload ? { ...after, cursor: before.cursor } : after;
}

/** The files are not, or no longer, what the plan says. */
const PLAN_IS_WRONG: ReadonlySet<JobErrorCode> = new Set(["SOURCE_CHANGED", "CHECKSUM_MISMATCH"]);

/** The next try looks the files up again when this one has met others than were planned; what was made of them goes. */
function withoutWrongPlan(record: JobRecord, { code }: JobError): JobRecord {
  return PLAN_IS_WRONG.has(code) ? { ...record, plan: null, checkpoint: null, outcomes: null } : record;
}

/** `usage`: of all runs so far; left out: as it was. */
type Stopped = Occasion & { usage?: Usage | undefined };

/** `waitsFor`: the try was not used up, the job only waits until that is back; null = it was. */
export type Retrying = Stopped & { error: JobError; retryAt: Date; waitsFor: Away | null };

const WAITING_PHASES = { storage: "waiting_for_storage", source: "waiting_for_source" } as const;

/** The try failed, and another will be made at `retryAt`. */
export function retrying(record: JobRecord, input: Retrying): Change {
  const next: JobRecord = {
    ...withoutWrongPlan(record, input.error),
    status: "queued",
    failures: record.failures + (input.waitsFor ? 0 : 1),
    run: null,
    retryAt: input.retryAt.toISOString(),
    error: input.error,
    usage: input.usage ?? record.usage,
    progress: atRest(record.progress, input.waitsFor ? WAITING_PHASES[input.waitsFor] : "retry_wait"),
  };
  return told("download.retrying.v1", next, "retrying", input, { ...runOf(record), ...causeOf(input.error) });
}

/** The worker shuts down and gives the job back: no try used up, no crash counted. */
export function handedBack(record: JobRecord, input: Stopped): Change {
  const next: JobRecord = {
    ...record,
    status: "queued",
    run: null,
    usage: input.usage ?? record.usage,
    progress: atRest(record.progress, "waiting"),
  };
  return told("download.handedback.v1", next, "handedback", input, runOf(record));
}

/** `plan` left out: as it was. */
export type Completed = Occasion & {
  result: JobResult;
  outcomes: Outcomes;
  progress: Progress;
  usage: Usage;
  plan?: Plan | undefined;
};

/** The end of a generation: the result is there and verified. */
export function completed(record: JobRecord, input: Completed): Change {
  const next: JobRecord = {
    ...endOf({ ...record, progress: input.progress }, "completed", input.now),
    plan: input.plan ?? record.plan,
    outcomes: input.outcomes,
    result: input.result,
    usage: input.usage,
  };
  return told("download.completed.v1", namesKeys(next), "completed", input, runOf(record));
}

/** What is left out stays as the last checkpoint said. */
export type Failed = Stopped & {
  error: JobError;
  outcomes?: Outcomes | undefined;
  progress?: Progress | undefined;
};

/**
 * The end of a generation: it cannot be done. An error that might have passed has used up the last try, hence
 * `failures` = the tries in all; a permanent one leaves `failures` as it was.
 */
export function failed(record: JobRecord, input: Failed): Change {
  const left = withoutWrongPlan(record, input.error);
  const next: JobRecord = {
    ...endOf({ ...left, progress: input.progress ?? record.progress }, "failed", input.now),
    failures: record.failures + (isPermanent(input.error.code) ? 0 : 1),
    error: input.error,
    outcomes: input.outcomes ?? left.outcomes,
    usage: input.usage ?? record.usage,
  };
  return told("download.failed.v1", namesKeys(next), "failed", input, { ...runOf(record), ...causeOf(input.error) });
}

/** The end of a generation: too many runs died without progress, and `worker`, who found the last of them, gives it up. */
export function deadLettered(record: JobRecord, input: Occasion & { worker: string }): Change {
  const error = jobError("DEAD_LETTERED", "claim");
  const next: JobRecord = { ...endOf(record, "failed", input.now), crashes: record.crashes + 1, error };
  return told("download.failed.v1", next, "failed", input, { worker: input.worker, ...causeOf(error) });
}

const runOf = (record: JobRecord) => ({ run: record.run?.id, worker: record.run?.worker });
const causeOf = (error: JobError) => ({ stage: error.stage, code: error.code });
