import type { JobError, JobErrorCode, Stage } from "@longhaul/contracts";

/** The coarse classes by which errors are shown to those who do not want our codes. */
export type PublicClass = "validation_error" | "timeout_error" | "network_error" | "storage_error" | "unknown_error";

/** `retryable`: whether trying the same again can help by itself. */
type Failure = { retryable: boolean; class: PublicClass; text: string };

/** The one table of what can go wrong with a job or a file. */
const FAILURES: Record<JobErrorCode, Failure> = {
  FILE_NOT_FOUND: { retryable: false, class: "validation_error", text: "The file does not exist at its source." },
  INVALID_FILE_ID: { retryable: false, class: "validation_error", text: "The file id names no possible file." },
  PERMISSION_DENIED: { retryable: false, class: "validation_error", text: "The source refuses access to the file." },
  FILE_TOO_LARGE: { retryable: false, class: "validation_error", text: "The file is larger than is allowed." },
  SOURCE_TIMEOUT: { retryable: true, class: "timeout_error", text: "The source did not answer in time." },
  DEADLINE_EXCEEDED: {
    retryable: false,
    class: "timeout_error",
    text: "The job was not finished before its deadline.",
  },
  SOURCE_UNAVAILABLE: { retryable: true, class: "network_error", text: "The source cannot be reached at the moment." },
  SOURCE_RATE_LIMITED: { retryable: true, class: "network_error", text: "The source asks for fewer requests." },
  SOURCE_CHANGED: { retryable: true, class: "storage_error", text: "A file changed at its source while it was read." },
  S3_UPLOAD_FAILED: { retryable: true, class: "storage_error", text: "The result could not be stored." },
  CHECKSUM_MISMATCH: {
    retryable: true,
    class: "storage_error",
    text: "The stored bytes differ from those that were sent.",
  },
  ALL_FILES_FAILED: { retryable: false, class: "unknown_error", text: "None of the files could be fetched." },
  DEAD_LETTERED: {
    retryable: false,
    class: "unknown_error",
    text: "The job's workers stopped too often without any progress.",
  },
  INTERNAL: { retryable: true, class: "unknown_error", text: "Something went wrong on our side." },
};

/** Trying again cannot help: the job fails at once, and the try is not counted as used up. */
export const isPermanent = (code: JobErrorCode): boolean => !FAILURES[code].retryable;

export const publicClass = (code: JobErrorCode): PublicClass => FAILURES[code].class;

/** A sentence for people, without anything of the job in it. */
export const errorText = (code: JobErrorCode): string => FAILURES[code].text;

/** A job's error as it is stored; `fileId` when one file is the cause. */
export function jobError(code: JobErrorCode, stage: Stage, fileId: number | null = null): JobError {
  return { code, message: errorText(code), stage, retryable: !isPermanent(code), fileId };
}
