import type { JobErrorCode, JobRecord, Stage } from "@longhaul/contracts";
import { isPermanent } from "./failure.ts";

/** Where calls are not made at present, because too many failed: at the store of the results, or at a source. */
export type Away = "storage" | "source";

/**
 * What went wrong in a try. `retryAfterMs`: how long the source asks us to wait. `waitsFor`: nothing is to be blamed on
 * this try, and another is of no use before the other side is back; about when that is, `retryAfterMs` says.
 */
export type TryError = {
  stage: Stage;
  code: JobErrorCode;
  retryAfterMs?: number | undefined;
  waitsFor?: Away | null | undefined;
};

/** `maxAttempts`: tries in all. `retryBaseMs`: the wait after the first failed try; it doubles with each. */
export type SettlePolicy = { maxAttempts: number; retryBaseMs: number };

/** `waitsFor`: null = the try is used up. */
export type Settlement = { do: "retry"; delayMs: number; waitsFor: Away | null } | { do: "fail" };

/** The longest that a job waits for its next try, whatever a source asks for: 15 minutes. */
export const LONGEST_WAIT_MS = 15 * 60_000;
const SPREAD = 0.2;

/**
 * Whether a job whose try failed is tried again, and after how many milliseconds. `jitter` in 0..1 spreads the waits by
 * ±20 %; a source's `Retry-After` is waited for in full, and up to 20 % longer, so that all who were refused together do
 * not return together. A job that waits for a store or a source to come back uses up no try, however long that takes.
 */
export function settle(error: TryError, record: JobRecord, policy: SettlePolicy, jitter: number): Settlement {
  const waitsFor = error.waitsFor ?? null;
  if (!waitsFor && (isPermanent(error.code) || record.failures + 1 >= policy.maxAttempts)) return { do: "fail" };
  const doublings = waitsFor ? 0 : record.failures;
  const backoffMs = policy.retryBaseMs * 2 ** doublings * (1 - SPREAD + 2 * SPREAD * jitter);
  const askedMs = (error.retryAfterMs ?? 0) * (1 + SPREAD * jitter);
  const delayMs = Math.round(Math.min(LONGEST_WAIT_MS, Math.max(backoffMs, askedMs)));
  return { do: "retry", delayMs, waitsFor };
}
