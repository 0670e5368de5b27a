/**
 * `NOT_FOUND` no such object · `NO_BUCKET` no such bucket · `DENIED` credentials or rights · `RATE_LIMITED` asked to slow
 * down · `TIMEOUT` no answer in time · `UNAVAILABLE` not reachable, or its own error · `REJECTED` the request itself is
 * wrong · `CONFLICT` something is there already · `UNSUPPORTED` not known to this store · `BODY_FAILED` the
 * stream to be written failed · `DAMAGED` what is there is not what was written · `ABORTED` the caller's signal ·
 * `BREAKER_OPEN` too many calls to this store fail at present: this one was not made, or was one of those; another is
 * worth while after `retryAfterMs`
 */
export type ObjectsErrorCode =
  | "NOT_FOUND"
  | "NO_BUCKET"
  | "DENIED"
  | "RATE_LIMITED"
  | "TIMEOUT"
  | "UNAVAILABLE"
  | "REJECTED"
  | "CONFLICT"
  | "UNSUPPORTED"
  | "BODY_FAILED"
  | "DAMAGED"
  | "ABORTED"
  | "BREAKER_OPEN";

/** A call to the object store failed. Branch on `code`. */
export class ObjectsError extends Error {
  override readonly name = "ObjectsError";
  readonly code: ObjectsErrorCode;
  /** How long the store asked to be left alone, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { code: ObjectsErrorCode; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
