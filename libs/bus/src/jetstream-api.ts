import type { Msg } from "@nats-io/transport-node";
import { BusError, type BusErrorCode } from "./errors.ts";

/** What JetStream answers instead of a result. */
type ApiError = { code: number; err_code: number; description: string };
type ApiAnswer = { error?: ApiError };

/** Error codes of nats-server (server/errors.json) that mean something to us. */
const API_ERRORS = {
  /** "wrong last sequence" on one server, and its form without a number in a cluster. */
  wrongLastSequence: 10071,
  wrongLastSequenceInFlight: 10164,
  /** The store took no more: bytes, or messages of this subject. */
  storeFailed: 10077,
  messageNotFound: 10037,
  /** Two answers to a delete of what is not there (any more). */
  sequenceNotFound: 10043,
  deleteFailed: 10057,
} as const;

const NOTHING_THERE: ReadonlySet<number> = new Set([
  API_ERRORS.messageNotFound,
  API_ERRORS.sequenceNotFound,
  API_ERRORS.deleteFailed,
]);

/** Reads an answer of the JetStream API. @throws BusError */
export function apiResult<T extends object>(answer: Msg): T {
  const result = answer.json<T & ApiAnswer>();
  if (result.error) throw apiError(result.error);
  return result;
}

/** Like `apiResult`, but null when there is no such message. @throws BusError */
export function apiResultOrNull<T extends object>(answer: Msg): T | null {
  const result = answer.json<T & ApiAnswer>();
  if (!result.error) return result;
  if (NOTHING_THERE.has(result.error.err_code)) return null;
  throw apiError(result.error);
}

/**
 * What became of a message for `WORK`, which has no bound but one message per subject: "full" can only mean that the
 * item is there. @throws BusError
 */
export function sentOrPresent(answer: Msg): "sent" | "present" {
  try {
    apiResult(answer);
    return "sent";
  } catch (error) {
    if (error instanceof BusError && error.code === "FULL") return "present";
    throw error;
  }
}

function apiError(error: ApiError): BusError {
  return new BusError(codeOf(error), `JetStream answered ${error.err_code}: ${error.description}.`);
}

function codeOf({ err_code, code }: ApiError): BusErrorCode {
  switch (err_code) {
    case API_ERRORS.wrongLastSequence:
    case API_ERRORS.wrongLastSequenceInFlight:
      return "WRONG_SEQUENCE";
    case API_ERRORS.storeFailed:
      return "FULL";
    default:
      return code >= 500 || code === 408 || code === 429 ? "UNAVAILABLE" : "REJECTED";
  }
}
