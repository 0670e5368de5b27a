import { z } from "zod";

/** What can go wrong with a job or one of its files. */
export const JOB_ERROR_CODES = [
  "FILE_NOT_FOUND",
  "INVALID_FILE_ID",
  "PERMISSION_DENIED",
  "FILE_TOO_LARGE",
  "SOURCE_TIMEOUT",
  "DEADLINE_EXCEEDED",
  "SOURCE_UNAVAILABLE",
  "SOURCE_RATE_LIMITED",
  "SOURCE_CHANGED",
  "S3_UPLOAD_FAILED",
  "CHECKSUM_MISMATCH",
  "ALL_FILES_FAILED",
  "DEAD_LETTERED",
  "INTERNAL",
] as const;
export const jobErrorCode = z.enum(JOB_ERROR_CODES);
export type JobErrorCode = z.infer<typeof jobErrorCode>;

/** Where in a job's work an error happened. */
const STAGES = ["claim", "plan", "read-source", "write-result", "publish"] as const;
export const stage = z.enum(STAGES);
export type Stage = z.infer<typeof stage>;
