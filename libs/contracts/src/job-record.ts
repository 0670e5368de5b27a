import { z } from "zod";
import { jobErrorCode, stage } from "./error-codes.ts";
import { jobSpec } from "./job-spec.ts";
import { progress } from "./progress.ts";
import { count, crc32, fileId, isoTime, jobId, open, payloadRef } from "./schema.ts";

/** A record is one NATS message; what would be larger goes to object storage and is named by a `ref`. */
export const RECORD_MAX_BYTES = 64 * 1024;
/** Entries kept in a timeline: the first, and the newest of the rest. */
export const TIMELINE_MAX = 32;

export const JOB_STATUSES = ["queued", "running", "paused", "completed", "failed", "cancelled", "expired"] as const;
export const jobStatus = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof jobStatus>;

/** Who is working on the job; `item` is the stream sequence of the work item that it was started for. */
export const run = open({ id: z.string(), worker: z.string(), item: z.int().min(1), startedAt: isoTime });
export type Run = z.infer<typeof run>;

export const jobError = open({
  code: jobErrorCode,
  message: z.string(),
  stage,
  retryable: z.boolean(),
  fileId: z.int().nullable(),
});
export type JobError = z.infer<typeof jobError>;

/**
 * `[name, size in bytes, etag, crc, last change in milliseconds since 1970]`: one file of the plan; null where the source
 * does not tell. Of a file that is not there only the reason.
 */
const planEntry = z.union([
  z.tuple([z.string(), count, z.string().nullable(), crc32.nullable(), z.int()]),
  jobErrorCode,
]);
export type PlanEntry = z.infer<typeof planEntry>;

/** An entry for each file asked for, in request order. Exactly one of `entries` and `ref` is set. */
export const plan = open({
  entries: z.array(planEntry).nullable(),
  ref: payloadRef.nullable(),
  filesMissing: count,
  bytesTotal: count.nullable(),
});
export type Plan = z.infer<typeof plan>;

/**
 * `[part number, etag, crc32, crc so far, …found out]`: so far = of the entry in which the part ends, up to there; found
 * out = of each entry whose local header's CRC stands in the part although its source told none.
 */
const uploadedPart = z.tuple([z.int().min(1), z.string(), crc32], crc32);
/** All parts, or where the list of them lies. */
const uploadedParts = z.union([z.array(uploadedPart), open({ ref: payloadRef })]);
export type UploadedPart = z.infer<typeof uploadedPart>;

export const checkpoint = open({
  /** `id` is the multipart upload's id, null until one was created under the key. */
  upload: open({ key: z.string(), id: z.string().nullable(), partSize: count }),
  parts: uploadedParts,
  /** The next byte to write, and the CRC of the entry so far. */
  cursor: open({ entry: count, offset: count, crc: crc32 }),
  /** Written before Complete: exactly what Complete will send. */
  sealed: open({ sizeBytes: count, crc32, parts: uploadedParts }).nullable(),
});
export type Checkpoint = z.infer<typeof checkpoint>;

/** `[index in the request, what happened instead]` */
const exception = z.tuple([count, jobErrorCode]);

/** Outcome of each file, in request order: every file before `doneThrough` is completed but for the exceptions. */
export const outcomes = open({
  doneThrough: count,
  exceptions: z.union([z.array(exception), open({ ref: payloadRef })]),
});
export type Outcomes = z.infer<typeof outcomes>;

export const jobResult = open({
  /** `owned`: made for this job. `borrowed`: a source object, never deleted by us. `none`: nothing to hand out. */
  kind: z.enum(["owned", "borrowed", "none"]),
  key: z.string().nullable(),
  filename: z.string(),
  sizeBytes: count,
  contentType: z.string(),
  crc32: crc32.nullable(),
  partial: z.boolean(),
  expiresAt: isoTime,
});
export type JobResult = z.infer<typeof jobResult>;

export const usage = open({ bytesRead: count, bytesWritten: count, s3Calls: count, copies: count });
export type Usage = z.infer<typeof usage>;

/** One write of the record, for people and for the read-back of an unanswered write. Checkpoints leave none. */
export const timelineEntry = open({
  at: isoTime,
  event: z.string(),
  writeId: z.string(),
  run: z.string().optional(),
  worker: z.string().optional(),
  actor: z.string().optional(),
  stage: stage.optional(),
  code: jobErrorCode.optional(),
  traceId: z.string().optional(),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

/** The whole state of a job. */
export const jobRecord = open({
  id: jobId,
  tenant: z.string(),
  user: z.string(),
  tier: z.string(),
  clientIp: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** The dialect by which it was created; `v1` = the canonical API. */
  createdVia: z.string(),
  /** W3C Trace Context of the request that created the job. */
  traceparent: z.string(),

  spec: jobSpec,
  /** SHA-256 of the validated, defaulted specification, base64url: tells a repeat from another request. */
  bodyHash: z.string(),

  status: jobStatus,
  /** Begins with 1 and rises with each resume and retry; each generation has at most one end. */
  generation: z.int().min(1),
  failures: count,
  crashes: count,
  run: run.nullable(),
  retryAt: isoTime.nullable(),
  error: jobError.nullable(),
  createdAt: isoTime,
  startedAt: isoTime.nullable(),
  updatedAt: isoTime,
  completedAt: isoTime.nullable(),
  deadlineAt: isoTime,
  /** Whether the job ever chose a key under `results/` or `payload/`. Sticky. */
  named: z.boolean(),

  plan: plan.nullable(),
  checkpoint: checkpoint.nullable(),
  outcomes: outcomes.nullable(),
  progress,

  result: jobResult.nullable(),
  usage,

  timeline: z.array(timelineEntry).max(TIMELINE_MAX),
  /** Random, of this write. */
  writeId: z.string(),
});
export type JobRecord = z.infer<typeof jobRecord>;

/** What the payloads hold that a record names: the lists that are too long for it. */
export const payloadContent = {
  fileIds: z.array(fileId),
  plan: z.array(planEntry),
  parts: z.array(uploadedPart),
  exceptions: z.array(exception),
};
export type PayloadKind = keyof typeof payloadContent;

/** What is left of a job that was deleted: nothing personal. */
export const erasedRecord = open({
  id: jobId,
  tenant: z.string(),
  userHash: z.string(),
  generation: z.int().min(1),
  status: z.literal("erased"),
  named: z.boolean(),
  writeId: z.string(),
  updatedAt: isoTime,
});
export type ErasedRecord = z.infer<typeof erasedRecord>;

/** What the newest message of a job can hold. */
export const storedRecord = z.discriminatedUnion("status", [jobRecord, erasedRecord]);
export type StoredRecord = JobRecord | ErasedRecord;
