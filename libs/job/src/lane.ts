import type { Lane } from "@longhaul/contracts";

/** A user's right to the fast lane: `tokens` as they were at `at`, milliseconds. */
export type LaneBucket = { tokens: number; at: number };

/** An empty bucket is full again after this time; what was not used for so long need not be remembered. */
export const LANE_REFILL_MS = 60_000;

/**
 * In which lane a user's next job goes, by a token bucket that holds `burst` tokens and gets as many back each minute:
 * the first jobs are fast, a flood is bulk. `bucket` null = a user who asked for nothing in the last minute.
 */
export function chooseLane(bucket: LaneBucket | null, now: number, burst: number): { lane: Lane; bucket: LaneBucket } {
  const before = bucket ?? { tokens: burst, at: now };
  const gained = (burst * Math.max(0, now - before.at)) / LANE_REFILL_MS;
  const tokens = Math.min(burst, before.tokens + gained);
  return tokens >= 1
    ? { lane: "fast", bucket: { tokens: tokens - 1, at: now } }
    : { lane: "bulk", bucket: { tokens, at: now } };
}
