import type { ApiJob, ApiProgress, JobRecord, JobStatus, Progress } from "@longhaul/contracts";
import { allowedCommands, type ControlCommand } from "./commands.ts";
import { forgottenAt, type RetentionPolicy } from "./retention.ts";
import { shownStatus } from "./shown-status.ts";
import { formatVersion, type Version } from "./version.ts";

/** `stale`: whoever would know better is away. */
export type PresentOptions = RetentionPolicy & { maxAttempts: number; stale?: boolean | undefined };

/** The job as every route, socket and stream of the canonical API shows it. */
export function present(record: JobRecord, version: Version, options: PresentOptions): ApiJob {
  const { spec } = record;
  return {
    id: record.id,
    status: shownStatus(record.status),
    priority: spec.class,
    archive: spec.archive,
    name: spec.name,
    metadata: spec.metadata,
    generation: record.generation,
    attempt: Math.min(record.failures + 1, options.maxAttempts),
    maxAttempts: options.maxAttempts,
    nextAttemptAt: isSecondTry(record) && record.status === "queued" ? record.retryAt : null,
    // A job with a result was completed, also when it has expired since: its 100 % stay.
    progress: presentProgress(record.progress, record.result === null ? record.status : "completed"),
    error: presentError(record),
    result: presentResult(record),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    startedAt: record.startedAt,
    completedAt: record.completedAt,
    expiresAt: forgottenAt(record, options),
    version: formatVersion(version),
    ...(options.stale ? { stale: true as const } : {}),
    links: linksOf(record),
  };
}

/** Progress as it is shown of a job in this status, with its percentage. */
export function presentProgress(progress: Progress, status: JobStatus): ApiProgress {
  return {
    filesTotal: progress.filesTotal,
    filesDone: progress.filesDone,
    filesFailed: progress.filesFailed,
    bytesTotal: progress.bytesTotal,
    bytesDone: progress.bytesDone,
    percent: status === "completed" ? 100 : Math.min(99, percentOf(progress)),
    bytesPerSecond: progress.bytesPerSecond,
    etaSeconds: progress.etaSeconds,
    currentFileId: progress.currentFileId,
    phase: progress.phase,
  };
}

/**
 * By bytes; by files while the bytes are unknown, or where there are none. A file that is not there brings nothing: it
 * is found before the first byte, and counted here it would show progress that is gone with the first byte.
 */
function percentOf(progress: Progress): number {
  const [done, total] = progress.bytesTotal
    ? [progress.bytesDone, progress.bytesTotal]
    : [progress.filesDone, progress.filesTotal];
  return total === 0 ? 0 : Math.floor((100 * done) / total);
}

/** A try of this generation has failed, and the job goes on: what is shown of it says so. */
const isSecondTry = (record: JobRecord): boolean => record.failures > 0;

/** The record remembers the last error over the next try; it is shown while the job waits, not while it runs. */
function presentError(record: JobRecord): ApiJob["error"] {
  const waits = record.status === "queued" || record.status === "paused";
  const ended = record.status === "failed" || record.status === "expired";
  if (record.error === null || !(ended || (waits && isSecondTry(record)))) return null;
  const { code, message, retryable, stage, fileId } = record.error;
  return { code, message, retryable, stage, fileId };
}

function presentResult(record: JobRecord): ApiJob["result"] {
  if (record.result === null) return null;
  const { filename, sizeBytes, contentType, crc32, partial, expiresAt } = record.result;
  return { filename, sizeBytes, contentType, checksumCrc32: crc32, partial, expiresAt, url: contentPath(record) };
}

/** Our stable link; null when there is nothing to fetch. */
function contentPath(record: JobRecord): string | null {
  const there = record.status === "completed" && record.result !== null && record.result.kind !== "none";
  return there ? `${selfPath(record)}/content` : null;
}

const selfPath = (record: JobRecord): string => `/v1/downloads/${record.id}`;

function linksOf(record: JobRecord): ApiJob["links"] {
  const self = selfPath(record);
  const allowed = allowedCommands(record);
  const command = (name: ControlCommand) => (allowed.includes(name) ? `${self}/${name}` : null);
  return {
    self,
    files: `${self}/files`,
    events: `${self}/events`,
    ws: `${self}/ws`,
    deliveries: `${self}/deliveries`,
    content: contentPath(record),
    cancel: command("cancel"),
    pause: command("pause"),
    resume: command("resume"),
    retry: command("retry"),
  };
}
