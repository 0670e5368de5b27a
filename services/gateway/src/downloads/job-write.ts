import { BusError, type PutOnce, type PutOptions, type PutResult } from "@longhaul/bus";
import type { Change } from "@longhaul/job";
import { AWAY_RETRY_SECONDS, ProblemError } from "../problem-error.ts";

const FULL_RETRY_SECONDS = 30;
/**
 * Nothing is written later than this after its request: a write that expects 0 must not meet the end of what it missed,
 * nor name a payload that was put so long ago that it counts as an orphan.
 */
export const LONGEST_WRITE_MS = 60_000;

/** A write that was settled: it is stored, or another writer was first. */
export type Settled = Extract<PutResult, { kind: "done" | "conflict" }>;

/**
 * Writes a change in place of the job's message with sequence `seq`, for a client that waits.
 * @throws ProblemError `QUEUE_FULL`, nothing was stored; `DEPENDENCY_UNAVAILABLE`: with `outcome` nobody knows, without
 *   it nothing was stored
 * @throws BusError for what no second try can mend
 */
export async function writeJob(
  put: PutOnce,
  id: string,
  seq: number,
  change: Change,
  options: Omit<PutOptions, "source">,
): Promise<Settled> {
  const result = await put(id, seq, change, { ...options, source: "/longhaul/gateway" }).catch((error: unknown) => {
    // The connection was closed under the write, which may have been on its way.
    if (error instanceof BusError && error.code === "CLOSED") return { kind: "unknown" } as const;
    throw error;
  });
  switch (result.kind) {
    case "unknown":
      throw new ProblemError(
        "DEPENDENCY_UNAVAILABLE",
        "The message bus did not answer in time: what was asked for may have been stored, or may not.",
        { outcome: "unknown", retryAfterSeconds: AWAY_RETRY_SECONDS },
      );
    case "unavailable":
      throw new ProblemError(
        "DEPENDENCY_UNAVAILABLE",
        "The message bus takes nothing at the moment. Nothing was changed; try again shortly.",
        { retryAfterSeconds: AWAY_RETRY_SECONDS },
      );
    case "full":
      throw new ProblemError("QUEUE_FULL", "No more can be stored at the moment. Nothing was changed.", {
        retryAfterSeconds: FULL_RETRY_SECONDS,
      });
    default:
      return result;
  }
}
