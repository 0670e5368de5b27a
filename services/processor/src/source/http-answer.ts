import type { IncomingHttpHeaders } from "node:http";
import type { JobErrorCode, Stage } from "@longhaul/contracts";

/** The begin of an answer: all of it that is not its body. */
export type HttpHead = { status: number; headers: IncomingHttpHeaders };

/** Why an answer is not the file; `what` is for the log. */
export type Refusal = { code: JobErrorCode; retryAfterMs?: number | undefined; what: string };

/** A longer one is not worth its place in a job's record; the file is then one without. */
const VALIDATOR_MAX_CHARACTERS = 200;
const ENTITY_TAG = /^(?:W\/)?"[^"]*"$/;

/** Statuses that say more than their hundred. */
const CODES: Readonly<Record<number, JobErrorCode>> = {
  400: "INVALID_FILE_ID",
  404: "FILE_NOT_FOUND",
  408: "SOURCE_TIMEOUT",
  410: "FILE_NOT_FOUND",
  412: "SOURCE_CHANGED",
  414: "INVALID_FILE_ID",
  416: "SOURCE_CHANGED",
  422: "INVALID_FILE_ID",
  425: "SOURCE_RATE_LIMITED",
  429: "SOURCE_RATE_LIMITED",
  504: "SOURCE_TIMEOUT",
};

/**
 * What an answer says instead of the file; null: it is the file, with its bytes as they are.
 * @param now milliseconds since 1970, for a `Retry-After` that is a date
 */
export function refusalOf({ status, headers }: HttpHead, stage: Stage, now: number): Refusal | null {
  if (status === 200 || status === 206) return hasPlainBytes(headers) ? null : unusable("it is compressed");
  const code = CODES[status] ?? (status >= 400 && status < 500 ? "PERMISSION_DENIED" : "SOURCE_UNAVAILABLE");
  // It was there when the job was planned.
  const gone = stage === "read-source" && code === "FILE_NOT_FOUND";
  return {
    code: gone ? "SOURCE_CHANGED" : code,
    retryAfterMs: retryAfterMs(headers["retry-after"], now),
    what: `status ${status}`,
  };
}

/** Where an answer sends us, as it says it; null: nowhere. */
export function locationOf({ status, headers }: HttpHead): string | null {
  return [301, 302, 303, 307, 308].includes(status) ? (headers.location ?? null) : null;
}

/** Size of the whole file in bytes; null where the answer does not tell. */
export function sizeOf({ status, headers }: HttpHead): number | null {
  const told = status === 200 ? headers["content-length"] : /^bytes (?:\d+-\d+|\*)\/(\d+)$/.exec(range(headers))?.[1];
  const size = /^\d{1,15}$/.test(told ?? "") ? Number(told) : null;
  return size;
}

/**
 * What names this version of the file, fit for `If-Range`: its entity tag, else its date. Null where that is weak: the
 * bytes of two answers that agree in a weak one may be those of two versions (RFC 9110 §15.3.7.3).
 */
export function validatorOf(headers: IncomingHttpHeaders): string | null {
  const version = versionOf(headers);
  if (version === null || version.length > VALIDATOR_MAX_CHARACTERS) return null;
  const isStrong = ENTITY_TAG.test(version) ? !version.startsWith("W/") : isStrongDate(version, headers.date);
  return isStrong ? version : null;
}

/** What an answer says of its version, also where that proves nothing but a change. */
function versionOf({ etag, "last-modified": modified }: IncomingHttpHeaders): string | null {
  return etag !== undefined && ENTITY_TAG.test(etag) ? etag : (modified ?? null);
}

/** Whether a file can not have changed again in the second that its date names (RFC 9110 §8.8.2.2). */
function isStrongDate(modified: string, answeredAt: string | undefined): boolean {
  return Date.parse(answeredAt ?? "") - Date.parse(modified) >= 1_000;
}

/** Headers that ask for the bytes from an offset on, of the same version. */
export function rangeHeaders(offset: number, validator: string | null): Record<string, string> {
  if (offset === 0) return {};
  return { range: `bytes=${offset}-`, ...(validator === null ? {} : { "if-range": validator }) };
}

/**
 * How many bytes come before the one at `offset` in the body of an answer, which is 200 or 206: a server without ranges
 * sends the file from its begin.
 */
export function bytesBefore(
  head: HttpHead,
  offset: number,
  file: { sizeBytes: number; etag: string | null },
): number | Refusal {
  const version = versionOf(head.headers);
  const size = sizeOf(head);
  const changed: Refusal = { code: "SOURCE_CHANGED", what: `it was ${file.etag}, ${file.sizeBytes} bytes` };
  if (size !== null && size !== file.sizeBytes) return changed;
  if (version !== null && file.etag !== null && version !== file.etag) return changed;
  if (head.status === 206) {
    if (range(head.headers) !== `bytes ${offset}-${file.sizeBytes - 1}/${file.sizeBytes}`) {
      return unusable(`it is the range ${range(head.headers).slice(0, 100)}`);
    }
    // With `If-Range` the server vouches for the version and need not name it.
    return 0;
  }
  return offset === 0 || version !== null ? offset : changed;
}

const range = (headers: IncomingHttpHeaders): string => headers["content-range"] ?? "";

const unusable = (what: string): Refusal => ({ code: "SOURCE_UNAVAILABLE", what });

function hasPlainBytes(headers: IncomingHttpHeaders): boolean {
  const isPlain = (value: string | undefined, plain: string) => value === undefined || value.toLowerCase() === plain;
  return isPlain(headers["content-encoding"], "identity") && isPlain(headers["transfer-encoding"], "chunked");
}

/** In seconds or as a date (RFC 9110 §10.2.3). */
function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
