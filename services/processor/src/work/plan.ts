import type { JobErrorCode, JobRecord } from "@longhaul/contracts";
import { JobFailure } from "../job/job-failure.ts";
import type { Source, SourceFile } from "../source/source.ts";
import { type FileTries, withFileTries } from "./file-tries.ts";

/** Files looked up at a time. */
const LOOKUPS = 16;

/** What a job's files turned out to be. */
export type PlannedFiles = {
  /** The files that are there, in request order. */
  present: SourceFile[];
  /** `[index in the request, why it is not there]` */
  missing: [number, JobErrorCode][];
  bytesTotal: number;
};

export type PlanLimits = { fileMaxBytes: number; jobMaxBytes: number };

/** Errors that are an outcome of one file; any other fails the try. */
const OUTCOMES: ReadonlySet<JobErrorCode> = new Set([
  "FILE_NOT_FOUND",
  "INVALID_FILE_ID",
  "PERMISSION_DENIED",
  "FILE_TOO_LARGE",
]);

/**
 * Looks every file of the job up. A file that is missing, refused or too large becomes an outcome.
 * @throws JobFailure ALL_FILES_FAILED when nothing is there; FILE_TOO_LARGE when all files together are too much
 */
export async function planFiles(
  record: JobRecord,
  source: Source,
  limits: PlanLimits,
  tries: FileTries,
  signal: AbortSignal,
): Promise<PlannedFiles> {
  const fileIds = record.spec.fileIds ?? [];
  const maxBytes = Math.min(limits.fileMaxBytes, record.spec.maxFileBytes ?? limits.fileMaxBytes);
  const found: (SourceFile | JobErrorCode)[] = [];
  let next = 0;
  const lookUp = async () => {
    while (next < fileIds.length) {
      const index = next++;
      found[index] = await outcomeOf(fileIds[index] ?? 0, source, maxBytes, tries, signal);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LOOKUPS, fileIds.length) }, lookUp));
  const present = found.filter((file) => typeof file !== "string");
  const missing = [...found.entries()].filter((entry): entry is [number, JobErrorCode] => typeof entry[1] === "string");
  const bytesTotal = present.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (present.length === 0) throw new JobFailure({ stage: "plan", code: "ALL_FILES_FAILED", fileErrors: missing });
  if (bytesTotal > limits.jobMaxBytes) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
  return { present, missing, bytesTotal };
}

async function outcomeOf(
  fileId: number,
  source: Source,
  maxBytes: number,
  tries: FileTries,
  signal: AbortSignal,
): Promise<SourceFile | JobErrorCode> {
  try {
    const file = await withFileTries(() => source.find(fileId, signal), tries, signal);
    return file.sizeBytes > maxBytes ? "FILE_TOO_LARGE" : file;
  } catch (error) {
    if (error instanceof JobFailure && OUTCOMES.has(error.code)) return error.code;
    throw error;
  }
}
