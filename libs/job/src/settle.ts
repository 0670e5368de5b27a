import type { JobErrorCode, JobRecord, Stage } from "@longhaul/contracts";
import { isPermanent } from "./failure.ts";

/** What went wrong in a try. `retryAfterMs`: how long the source asks us to wait. */
export type TryError = { stage: Stage; code: JobErrorCode; retryAfterMs?: number | undefined };

/** `maxAttempts`: tries in all. `retryBaseMs`: the wait after the first failed try; it doubles with each. */
export type SettlePolicy = { maxAttempts: number; retryBaseMs: number };

export type Settlement = { do: "retry"; delayMs: number } | { do: "fail" };

/** The longest that a job waits for its next try, whatever a source asks for: 15 minutes. */
export const LONGEST_WAIT_MS = 15 * 60_000;
const SPREAD = 0.2;

/**
 * Whether a job whose try failed is tried again, and after how many milliseconds. `jitter` in 0..1 spreads the waits by
 * ±20 %; a source's `Retry-After` is waited for in full, and up to 20 % longer, so that all who were refused together do
 * not return together.
 */
export function settle(error: TryError, record: JobRecord, policy: SettlePolicy, jitter: number): Settlement {
  if (isPermanent(error.code) || record.failures + 1 >= policy.maxAttempts) return { do: "fail" };
  const backoffMs = policy.retryBaseMs * 2 ** record.failures * (1 - SPREAD + 2 * SPREAD * jitter);
  const askedMs = (error.retryAfterMs ?? 0) * (1 + SPREAD * jitter);
  return { do: "retry", delayMs: Math.round(Math.min(LONGEST_WAIT_MS, Math.max(backoffMs, askedMs))) };
}
