import { z } from "zod";
import { jobErrorCode, stage } from "../error-codes.ts";
import { archiveMode, jobClass } from "../job-spec.ts";
import { phase } from "../progress.ts";
import { count, crc32, isoTime, jobId } from "../schema.ts";

/** How a status is shown: the record's `running` is `processing` outside. */
export const SHOWN_STATUSES = [
  "queued",
  "processing",
  "paused",
  "completed",
  "failed",
  "cancelled",
  "expired",
] as const;
export const shownStatus = z.enum(SHOWN_STATUSES);
export type ShownStatus = z.infer<typeof shownStatus>;

const path = z.string();

export const apiProgress = z.object({
  filesTotal: count,
  filesDone: count,
  filesFailed: count,
  bytesTotal: count.nullable(),
  bytesDone: count,
  percent: z.int().min(0).max(100),
  bytesPerSecond: count.nullable(),
  etaSeconds: count.nullable(),
  currentFileId: z.int().nullable(),
  phase,
});
export type ApiProgress = z.infer<typeof apiProgress>;

/** The job as every canonical route, socket and stream shows it. */
export const apiJob = z.object({
  id: jobId,
  status: shownStatus,
  priority: jobClass,
  archive: archiveMode,
  name: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  generation: z.int().min(1),
  attempt: z.int().min(1),
  maxAttempts: z.int().min(1),
  nextAttemptAt: isoTime.nullable(),
  progress: apiProgress,
  error: z
    .object({ code: jobErrorCode, message: z.string(), retryable: z.boolean(), stage, fileId: z.int().nullable() })
    .nullable(),
  result: z
    .object({
      filename: z.string(),
      sizeBytes: count,
      contentType: z.string(),
      checksumCrc32: crc32.nullable(),
      partial: z.boolean(),
      expiresAt: isoTime,
      url: path.nullable(),
    })
    .nullable(),
  createdAt: isoTime,
  updatedAt: isoTime,
  startedAt: isoTime.nullable(),
  completedAt: isoTime.nullable(),
  expiresAt: isoTime,
  version: z.string(),
  /** The dependency that would know better is away. */
  stale: z.literal(true).optional(),
  /** null = not possible now. */
  links: z.object({
    self: path,
    files: path,
    events: path,
    ws: path,
    deliveries: path,
    content: path.nullable(),
    cancel: path.nullable(),
    pause: path.nullable(),
    resume: path.nullable(),
    retry: path.nullable(),
  }),
});
export type ApiJob = z.infer<typeof apiJob>;
