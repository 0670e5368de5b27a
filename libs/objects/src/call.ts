import { TimeoutError, withTimeout } from "@longhaul/runtime";
import { LongWait } from "./long-waits.ts";
import { ObjectsError } from "./objects-error.ts";
import { toObjectsError } from "./to-objects-error.ts";

/** Runs one call of the SDK, with all its tries, in `ms` milliseconds. Rejects with an `ObjectsError` and nothing else. */
export async function call<T>(
  what: string,
  ms: number,
  signal: AbortSignal | undefined,
  send: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(send, ms, what, signal);
  } catch (error) {
    if (error instanceof TimeoutError) throw new ObjectsError(error.message, { code: "TIMEOUT", cause: error });
    if (signal?.aborted)
      throw new ObjectsError(`${what} was given up by its caller.`, { code: "ABORTED", cause: error });
    throw toObjectsError(error instanceof LongWait ? error.error : error, what);
  }
}
