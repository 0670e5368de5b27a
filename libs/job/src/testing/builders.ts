import type { ErasedRecord, JobRecord, JobResult, JobSpec, JobStatus, Run } from "@longhaul/contracts";
import { bodyHash } from "../body-hash.ts";
import { type Change, stamp } from "../change.ts";
import { type CommandType, decide } from "../commands.ts";
import { jobError } from "../failure.ts";
import { type NewJob, newJob } from "../job.ts";
import type { PresentOptions } from "../present.ts";
import { claim, completed, failed } from "../run.ts";
import { userHash } from "../user-hash.ts";

/** When all built jobs are created. */
export const T0 = new Date("2026-03-01T12:00:00.000Z");

/** So many seconds after `T0`. */
export const at = (seconds: number): Date => new Date(T0.getTime() + seconds * 1000);

const DAY = 24 * 60 * 60;

/** The published defaults of what the rules take from configuration. */
export const POLICY: PresentOptions & { maxCrashes: number; retryBaseMs: number; deadlineSeconds: number } = {
  maxAttempts: 3,
  maxCrashes: 5,
  retryBaseMs: 2000,
  deadlineSeconds: 7 * DAY,
  retryWindowFailedSeconds: 30 * DAY,
  retryWindowCancelledSeconds: 7 * DAY,
  jobRetentionSeconds: 7 * DAY,
};

const JOB_ID = "5f0c954e-38a5-4b4e-8c5a-2f1c9c1d7a10";
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

/** A request for one S3 file. */
export function specOf(overrides: Partial<JobSpec> = {}): JobSpec {
  return {
    fileIds: [70_000],
    ref: null,
    filesTotal: overrides.fileIds?.length ?? 1,
    class: "normal",
    lane: "fast",
    archive: "auto",
    name: null,
    metadata: {},
    callbackUrl: null,
    expiresInSeconds: DAY,
    maxFileBytes: null,
    sourceKind: "s3",
    ...overrides,
  };
}

export function newJobInput(overrides: Partial<NewJob> = {}): NewJob {
  const spec = overrides.spec ?? specOf();
  return {
    id: JOB_ID,
    owner: { tenant: "acme", user: "ada.lovelace", tier: "basic" },
    clientIp: "203.0.113.9",
    userAgent: "curl/8.9",
    createdVia: "v1",
    traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
    traceId: TRACE_ID,
    spec,
    bodyHash: bodyHash(spec),
    now: T0,
    deadlineSeconds: POLICY.deadlineSeconds,
    ...overrides,
  };
}

export function aRun(overrides: Partial<Run> = {}): Run {
  return { id: "run-1", worker: "processor-1", item: 1, startedAt: at(1).toISOString(), ...overrides };
}

/** The record that a change of a living job leaves behind, stamped. */
export function written(change: Change, writeId = "write-1"): JobRecord {
  const record = stamp(change, writeId);
  if (record.status === "erased") throw new Error("the change erases the job");
  return record;
}

function resultOf(): JobResult {
  return {
    kind: "owned",
    key: `results/acme/${JOB_ID}/9b1d`,
    filename: "file-70000.zip",
    sizeBytes: 1000,
    contentType: "application/zip",
    crc32: "0a1b2c3d",
    partial: false,
    expiresAt: at(2 + DAY).toISOString(),
  };
}

function commanded(record: JobRecord, type: CommandType, now: Date): JobRecord {
  const rules = {
    deadlineSeconds: POLICY.deadlineSeconds,
    userHash: userHash(record.tenant, record.user),
    archived: false,
  };
  const decision = decide(record, { type, actor: "test" }, now, rules);
  if (decision.kind !== "change") throw new Error(`${type} of a ${record.status} job changes nothing`);
  return written(decision.change, `write-${type}`);
}

function walkTo(status: JobStatus): JobRecord {
  const queued = written(newJob(newJobInput()), "write-0");
  const running = written(claim(queued, { run: aRun(), key: `results/acme/${JOB_ID}/9b1d`, now: at(1) }), "write-1");
  switch (status) {
    case "queued":
      return queued;
    case "running":
      return running;
    case "paused":
      return commanded(running, "pause", at(2));
    case "cancelled":
      return commanded(running, "cancel", at(2));
    case "failed":
      return written(failed(running, { error: jobError("FILE_NOT_FOUND", "plan", 70_000), now: at(2) }), "write-2");
    case "expired":
      return commanded(walkTo("completed"), "expire", at(2 + DAY));
    case "completed": {
      const progress = { ...running.progress, filesDone: 1, bytesTotal: 1000, bytesDone: 1000 };
      const usage = { bytesRead: 1000, bytesWritten: 1000, s3Calls: 3, copies: 0 };
      const outcomes = { doneThrough: 1, exceptions: [] };
      return written(completed(running, { result: resultOf(), outcomes, progress, usage, now: at(2) }), "write-2");
    }
  }
}

/**
 * A job that came to this state by the real transitions: created at `T0`, claimed a second later by `aRun()`, changed a
 * second after that. The expired one had been completed.
 */
export function recordIn(status: JobStatus, overrides: Partial<JobRecord> = {}): JobRecord {
  return { ...walkTo(status), ...overrides };
}

/** What deleting a job leaves. */
export function erasedRecord(record: JobRecord = walkTo("running")): ErasedRecord {
  return {
    id: record.id,
    tenant: record.tenant,
    userHash: userHash(record.tenant, record.user),
    generation: record.generation,
    status: "erased",
    named: record.named,
    writeId: "write-erase",
    updatedAt: at(3).toISOString(),
  };
}
