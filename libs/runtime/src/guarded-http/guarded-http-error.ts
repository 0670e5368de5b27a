/**
 * `NOT_ALLOWED` the URL, or an address behind it, is one that must not be called · `TIMEOUT` no connection or no answer
 * in time · `UNREACHABLE` no such name, refused, cut off, not trusted, or not HTTP
 */
export type GuardedHttpErrorCode = "NOT_ALLOWED" | "TIMEOUT" | "UNREACHABLE";

/** A guarded request got no answer. Branch on `code`. */
export class GuardedHttpError extends Error {
  override readonly name = "GuardedHttpError";
  readonly code: GuardedHttpErrorCode;

  constructor(code: GuardedHttpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a socket or a request failed with, as a `GuardedHttpError`. `what` names the host. */
export function toGuardedHttpError(error: Error & { code?: unknown }, what: string): GuardedHttpError {
  if (error instanceof GuardedHttpError) return error;
  const code = error.code === "ETIMEDOUT" ? "TIMEOUT" : "UNREACHABLE";
  return new GuardedHttpError(code, `${what}: ${error.message || String(error.code)}`, { cause: error });
}
