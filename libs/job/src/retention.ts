import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { isLive, isUnfinished } from "./end.ts";
import { plusSeconds } from "./time.ts";

/**
 * How long ends are kept, seconds. The retry windows say how long a failed or cancelled job stays in `JOBS`;
 * `jobRetentionSeconds` how long a view keeps a job whose result is gone.
 */
export type RetentionPolicy = {
  retryWindowFailedSeconds: number;
  retryWindowCancelledSeconds: number;
  jobRetentionSeconds: number;
};

const DAY_SECONDS = 24 * 60 * 60;
/** Lifetimes are spread by up to a tenth: many messages that die in the same second would hold writers up. */
const SPREAD = 0.1;

/**
 * Lifetime of the write in `JOBS`, whole seconds; null for a job that is not at an end, which stays. Every reader has at
 * least a day to see an end. `jitter` in 0..1.
 */
export function lifetimeSeconds(
  record: StoredRecord,
  policy: Pick<RetentionPolicy, "retryWindowFailedSeconds" | "retryWindowCancelledSeconds">,
  jitter: number,
): number | null {
  if (isUnfinished(record.status)) return null;
  return Math.ceil(leastLifetimeSeconds(record, policy) * (1 + SPREAD * jitter));
}

function leastLifetimeSeconds(record: StoredRecord, policy: Parameters<typeof lifetimeSeconds>[1]): number {
  switch (record.status) {
    case "failed":
      return policy.retryWindowFailedSeconds;
    case "cancelled":
      return policy.retryWindowCancelledSeconds;
    case "completed":
      return DAY_SECONDS + Math.max(0, secondsBetween(record.updatedAt, resultEnd(record)));
    default:
      return DAY_SECONDS;
  }
}

/** When the expiry loop must look at the job: its deadline, or the end of its result; null = never. */
export function dueAt(record: StoredRecord): string | null {
  if (!isLive(record)) return null;
  if (record.status === "completed") return resultEnd(record);
  return isUnfinished(record.status) ? record.deadlineAt : null;
}

/**
 * The ends after which a view is forgotten when nothing more is written. A completed job is not among them: it expires
 * first.
 */
export const LAST_ENDS = ["failed", "cancelled", "expired"] as const;
export type LastEnd = (typeof LAST_ENDS)[number];

/**
 * How long the view of a job that came to such an end is kept after that write, seconds: always longer than `JOBS`
 * keeps the write (hence the tenth that a lifetime may be longer, and a day).
 */
export function keptSeconds(status: LastEnd, policy: RetentionPolicy): number {
  switch (status) {
    case "failed":
      return policy.retryWindowFailedSeconds * (1 + SPREAD) + DAY_SECONDS;
    case "cancelled":
      return policy.retryWindowCancelledSeconds * (1 + SPREAD) + DAY_SECONDS;
    case "expired":
      return policy.jobRetentionSeconds;
  }
}

/**
 * When the job is out of sight: for an unfinished one its deadline, for an ended one the time at which the view forgets
 * it.
 */
export function forgottenAt(record: JobRecord, policy: RetentionPolicy): string {
  switch (record.status) {
    case "failed":
    case "cancelled":
    case "expired":
      return plusSeconds(record.updatedAt, keptSeconds(record.status, policy));
    case "completed":
      return plusSeconds(resultEnd(record), keptSeconds("expired", policy));
    default:
      return record.deadlineAt;
  }
}

const resultEnd = (record: JobRecord): string => record.result?.expiresAt ?? record.updatedAt;

const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;
