/**
 * Why a call of the bus failed. Branch on these, never on texts.
 * - `DISCONNECTED` no connection now, or it broke while the answer was awaited
 * - `TIMEOUT` no answer in time
 * - `NO_RESPONDERS` the server has no JetStream at the moment (an election, a restart)
 * - `OVERLOADED` too many requests in flight in this process; nothing was sent
 * - `UNAVAILABLE` JetStream answered that it cannot serve now
 * - `WRONG_SEQUENCE` the subject has moved on: another writer was first
 * - `FULL` the stream's bound is reached; on `WORK` the item is there already
 * - `REJECTED` JetStream refused the request itself: a defect of ours or of the topology
 * - `TOO_LARGE` a record above `RECORD_MAX_BYTES`, which was not sent: a defect of ours
 * - `UNREADABLE` a stored message is not what the contract says
 * - `CLOSED` the bus was closed by this process
 */
export type BusErrorCode =
  | "DISCONNECTED"
  | "TIMEOUT"
  | "NO_RESPONDERS"
  | "OVERLOADED"
  | "UNAVAILABLE"
  | "WRONG_SEQUENCE"
  | "FULL"
  | "REJECTED"
  | "TOO_LARGE"
  | "UNREADABLE"
  | "CLOSED";

export class BusError extends Error {
  readonly code: BusErrorCode;
  override readonly name = "BusError";

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const TRANSIENT: ReadonlySet<BusErrorCode> = new Set([
  "DISCONNECTED",
  "TIMEOUT",
  "NO_RESPONDERS",
  "OVERLOADED",
  "UNAVAILABLE",
]);

/** Whether the same call may succeed a moment later, without anything being changed. */
export function isTransient(error: unknown): error is BusError {
  return error instanceof BusError && TRANSIENT.has(error.code);
}
