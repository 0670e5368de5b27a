import { ObjectsError } from "@longhaul/objects";
import type { Clock } from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import { ShuttingDown } from "../job/run-lost.ts";

/** What a part that is on its way, and the checkpoint after it, get of the time in which a process has to be gone. */
const LAST_CALLS_MS = 5_000;

export type Failure = Pick<JobFailure, "stage" | "code">;

const UPLOAD_FAILED: Failure = { stage: "write-result", code: "S3_UPLOAD_FAILED" };

/** A call to the store of the results; what goes wrong with it is the store's failure, as `failureOf` says. */
export async function storing<T>(
  call: () => Promise<T>,
  failureOf: (error: ObjectsError) => Failure = () => UPLOAD_FAILED,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ObjectsError) || error.code === "ABORTED") throw error;
    const { retryAfterMs } = error;
    const waitsFor = error.code === "BREAKER_OPEN" ? "storage" : null;
    throw new JobFailure({ ...failureOf(error), retryAfterMs, waitsFor }, { cause: error });
  }
}

/** A call that may come to its end although the process shuts down; whatever else stops the run ends it at once. */
export async function lettingFinish<T>(
  signal: AbortSignal,
  clock: Clock,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const done = new AbortController();
  const onAbort = () => {
    if (!(signal.reason instanceof ShuttingDown)) return stop.abort(signal.reason);
    clock.sleep(LAST_CALLS_MS, done.signal).then(
      () => stop.abort(signal.reason),
      () => {},
    );
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await call(stop.signal);
  } finally {
    done.abort();
    signal.removeEventListener("abort", onAbort);
  }
}
