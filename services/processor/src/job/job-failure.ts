import type { JobErrorCode, Stage } from "@longhaul/contracts";

/** An error of a job's work: where it happened, what it is, and how long the other side asked us to wait. */
export class JobFailure extends Error {
  readonly stage: Stage;
  readonly code: JobErrorCode;
  readonly fileId: number | null;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: { stage: Stage; code: JobErrorCode; fileId?: number | null; retryAfterMs?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(`${failure.code} at ${failure.stage}`, options);
    this.name = "JobFailure";
    this.stage = failure.stage;
    this.code = failure.code;
    this.fileId = failure.fileId ?? null;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** Any error as a failure of the job: one that nobody foresaw is INTERNAL at the stage that was running. */
export function asJobFailure(error: unknown, stage: Stage): JobFailure {
  return error instanceof JobFailure ? error : new JobFailure({ stage, code: "INTERNAL" }, { cause: error });
}
