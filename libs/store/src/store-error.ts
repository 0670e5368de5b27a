import { TimeoutError } from "@longhaul/runtime";
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from "mongodb";

/**
 * - `UNAVAILABLE` the database cannot be reached, or cannot do it now; the same call may succeed later.
 * - `TIMEOUT` the call took longer than it may. Whether a write was done is not known; every write here can be repeated.
 * - `REFUSED` the database answered, and will most likely answer the same next time.
 */
export type StoreErrorCode = "UNAVAILABLE" | "TIMEOUT" | "REFUSED";

/** What the calls of this package throw. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

// Codes of the server, by their names in MongoDB's error_codes.yml.
export const DUPLICATE_KEY = 11000;
export const NAMESPACE_NOT_FOUND = 26;
const WRITE_CONFLICT = 112;
/** "Deadlock detected" of DocumentDB's PostgreSQL: SQLSTATE 40P01, packed into an integer. */
const POSTGRES_DEADLOCK = 16_908_292;
/** One document was refused, and no repetition heals it: bad value, type or name of a field, too large, not indexable. */
const DOCUMENT_REFUSED = new Set([2, 9, 14, 22, 52, 56, 57, 121, 171, 10334, 17419, 17420]);

const TRANSIENT_LABELS = ["RetryableWriteError", "TransientTransactionError", "RetryableError"];

/** Whether the server's answer to a write means that this very document can never be stored. */
export function refusesDocument(code: unknown): boolean {
  return typeof code === "number" && DOCUMENT_REFUSED.has(code);
}

/** The error behind a bulk's: the driver wraps what stopped the whole bulk, and the wrap hides its class. */
export function rootOf(error: unknown): unknown {
  if (error instanceof MongoBulkWriteError && error.errorResponse instanceof MongoError) return error.errorResponse;
  return error;
}

/** Whether the same call may well succeed at once or a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === "UNAVAILABLE";
  const root = rootOf(error);
  if (!(root instanceof MongoError)) return false;
  if (root instanceof MongoNetworkError || root instanceof MongoNotConnectedError) return true;
  if (TRANSIENT_LABELS.some((label) => root.hasErrorLabel(label))) return true;
  return root instanceof MongoServerError && (root.code === WRITE_CONFLICT || root.code === POSTGRES_DEADLOCK);
}

/** A driver's error as a `StoreError`. `what` completes "MongoDB could not …". */
export function toStoreError(error: unknown, what: string): StoreError {
  const root = rootOf(error);
  const said = root instanceof Error ? root.message : String(root);
  if (root instanceof TimeoutError)
    return new StoreError("TIMEOUT", `MongoDB did not answer in time: could not ${what}.`, { cause: error });
  if (isTransient(root) || root instanceof MongoServerSelectionError || root instanceof MongoTopologyClosedError) {
    return new StoreError("UNAVAILABLE", `MongoDB is away: could not ${what} (${said}).`, { cause: error });
  }
  return new StoreError("REFUSED", `MongoDB could not ${what}: ${said}`, { cause: error });
}
