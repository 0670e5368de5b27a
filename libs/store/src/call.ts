import { BootError, backoffMs, systemClock, systemRandom, withTimeout } from "@longhaul/runtime";
import { isTransient, StoreError, toStoreError } from "./store-error.ts";

const TRIES = 5;
const BACKOFF = { baseMs: 50, maxMs: 1000 };

/** Does something at the database; `what` completes "MongoDB could not …". */
export type Call = <T>(what: string, operation: () => Promise<T>) => Promise<T>;

/**
 * A `Call` that gives an operation `timeoutMs` with all its tries: up to five, with jitter, while the error may pass.
 * Operations must be harmless when done twice. The deadline is kept here because the driver has none over all that one
 * call can do (its `timeoutMS` has no effect in 7.9, and a frozen server was seen to hold a bulk for 61 s).
 */
export function createCall(timeoutMs: number): Call {
  return async (what, operation) => {
    try {
      return await withTimeout((signal) => tryRepeatedly(operation, signal), timeoutMs, what);
    } catch (error) {
      if (error instanceof StoreError || error instanceof BootError) throw error;
      throw toStoreError(error, what);
    }
  };
}

async function tryRepeatedly<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (attempt === TRIES || signal.aborted || !isTransient(error)) throw error;
      await systemClock.sleep(backoffMs(attempt, BACKOFF, systemRandom.unit()), signal);
    }
  }
}
