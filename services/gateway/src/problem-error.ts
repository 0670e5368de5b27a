import { type FieldError, PROBLEMS, type ProblemCode } from "@longhaul/contracts";

/** How soon it makes sense to ask again when a server that is needed is away, seconds. */
export const AWAY_RETRY_SECONDS = 2;

/** What a problem can say beside its code and detail. */
export type ProblemExtra = {
  errors?: readonly FieldError[];
  /** The job's status as the API shows it, and the calls that its state allows. */
  currentStatus?: string;
  allowed?: readonly string[];
  /** The write was sent and not answered: it may or may not have been stored. */
  outcome?: "unknown";
  /** Header `Retry-After`, whole seconds. */
  retryAfterSeconds?: number;
  /** Header `Allow`. */
  allow?: string;
  /** Header `Accept-Encoding`. */
  acceptEncoding?: string;
};

/** An answer that is not a success, thrown by whoever finds out; `plugins/problems.ts` turns it into the response. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly extra: ProblemExtra;

  /** @param detail for people: what happened and what to do next; without secrets, it is sent to the client */
  constructor(code: ProblemCode, detail: string, extra: ProblemExtra = {}, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.extra = extra;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** One answer for a job that does not exist, belongs to somebody else, or was erased: they must not be told apart. */
export function jobNotFound(): ProblemError {
  return new ProblemError("NOT_FOUND", "There is no download with this id.");
}
