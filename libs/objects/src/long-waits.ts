import type { S3Client } from "@aws-sdk/client-s3";
import { toObjectsError } from "./to-objects-error.ts";

/** What a store asks for in `Retry-After` up to this, the SDK waits for itself. */
const SHORT_WAIT_MS = 1_000;

/** Around an error that the SDK shall not try again: it does not look inside. */
export class LongWait extends Error {
  override readonly name = "LongWait";
  readonly error: unknown;

  constructor(error: unknown) {
    super("The store asks to be left alone for longer than a call may take.");
    this.error = error;
  }
}

/**
 * Ends a call whose answer asks for a long wait. The SDK would try again after five seconds at most, which is earlier than
 * the store asks for, and by that use up the call's own time.
 */
export function endLongWaits({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        const { retryAfterMs = 0 } = toObjectsError(error, "A try");
        throw retryAfterMs > SHORT_WAIT_MS ? new LongWait(error) : error;
      }
    },
    // Inside the SDK's retries, which have priority "high" in this step.
    { name: "endLongWaits", step: "finalizeRequest", priority: "low" },
  );
}
