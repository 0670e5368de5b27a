import { S3ServiceException } from "@aws-sdk/client-s3";
import { ObjectsError, type ObjectsErrorCode } from "./objects-error.ts";

/** Nowhere in the SDK's chain are any. */
const NO_CREDENTIALS = "CredentialsProviderError";
const ADVICE =
  ". Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY (SOURCE_S3_… where it is the bucket of sources that has others), or give " +
  "the AWS SDK's own chain some, as a profile or a role.";

/** Codes of S3 and of stores like it; what is not here is decided by the HTTP status. */
const CODES: Record<string, ObjectsErrorCode> = {
  NoSuchKey: "NOT_FOUND",
  NoSuchBucket: "NO_BUCKET",
  NoSuchUpload: "NOT_FOUND",
  SlowDown: "RATE_LIMITED",
  Throttling: "RATE_LIMITED",
  ThrottlingException: "RATE_LIMITED",
  TooManyRequests: "RATE_LIMITED",
  RequestLimitExceeded: "RATE_LIMITED",
  RequestTimeout: "TIMEOUT",
  // Not rights but clocks: nothing that we ask for will be let through until they agree.
  RequestTimeTooSkewed: "DENIED",
  [NO_CREDENTIALS]: "DENIED",
  NotImplemented: "UNSUPPORTED",
};

/** Errors of sockets and of the SDK's own time-outs. */
const TIMEOUTS = new Set(["TimeoutError", "ETIMEDOUT", "ESOCKETTIMEDOUT"]);

/** Turns whatever a call of the SDK threw into an `ObjectsError`. `what`: "HEAD downloads/1.zip". */
export function toObjectsError(error: unknown, what: string): ObjectsError {
  if (error instanceof ObjectsError) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const advice = error instanceof Error && error.name === NO_CREDENTIALS ? ADVICE : "";
  return new ObjectsError(`${what} failed (${text})${advice}`, {
    code,
    retryAfterMs: retryAfterMs(error),
    cause: error,
  });
}

function codeOf(error: unknown): ObjectsErrorCode {
  if (!(error instanceof Error)) return "UNAVAILABLE";
  const known = CODES[error.name];
  if (known) return known;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status !== undefined) return codeOfStatus(status);
  const system = "code" in error ? String(error.code) : "";
  return TIMEOUTS.has(error.name) || TIMEOUTS.has(system) ? "TIMEOUT" : "UNAVAILABLE";
}

function codeOfStatus(status: number): ObjectsErrorCode {
  if (status === 404) return "NOT_FOUND";
  if (status === 401 || status === 403) return "DENIED";
  if (status === 429) return "RATE_LIMITED";
  if (status === 408) return "TIMEOUT";
  if (status === 409 || status === 412) return "CONFLICT";
  if (status === 405 || status === 501) return "UNSUPPORTED";
  return status >= 400 && status < 500 ? "REJECTED" : "UNAVAILABLE";
}

/** `Retry-After` of the answer, in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfterMs(error: unknown): number | undefined {
  const response = error instanceof S3ServiceException ? error.$response : undefined;
  const header = response?.headers["retry-after"];
  if (!header) return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
