import type { JobErrorCode, Outcomes, Stage } from "@longhaul/contracts";
import type { Away, TryError } from "@longhaul/job";

/**
 * An error of a job's work: where it happened, what it is, how long the other side asked us to wait, and whether the job
 * has nothing to do with it but only waits for a store or a source that is away.
 */
export class JobFailure extends Error {
  readonly stage: Stage;
  readonly code: JobErrorCode;
  readonly fileId: number | null;
  readonly retryAfterMs: number | undefined;
  readonly waitsFor: Away | null;
  /** Why each file failed, by its place in the request, when all of them did. */
  readonly fileErrors: Outcomes["exceptions"] | null;

  constructor(
    failure: TryError & { fileId?: number | null; fileErrors?: Outcomes["exceptions"] },
    options?: ErrorOptions,
  ) {
    super(`${failure.code} at ${failure.stage}`, options);
    this.name = "JobFailure";
    this.stage = failure.stage;
    this.code = failure.code;
    this.fileId = failure.fileId ?? null;
    this.retryAfterMs = failure.retryAfterMs;
    this.waitsFor = failure.waitsFor ?? null;
    this.fileErrors = failure.fileErrors ?? null;
  }
}

/** Any error as a failure of the job: one that nobody foresaw is INTERNAL, and only its stack tells where it arose. */
export function asJobFailure(error: unknown): JobFailure {
  return error instanceof JobFailure ? error : new JobFailure({ stage: "plan", code: "INTERNAL" }, { cause: error });
}
