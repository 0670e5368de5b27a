export type Backoff = {
  /** Ceiling of the first wait, milliseconds. */
  baseMs: number;
  /** Ceiling of every wait, milliseconds. */
  maxMs: number;
};

/**
 * How long to wait before try number `attempt + 1`, in milliseconds: the ceiling doubles with each failed attempt up
 * to `maxMs`, and the wait lies between half the ceiling and the whole of it, so that clients that failed together do
 * not come back together.
 * @param attempt failed attempts so far, 1 or more
 * @param unit uniform random number in 0..1
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: Backoff, unit: number): number {
  // 2^30 · 1 ms is already 12 days; the bound keeps the power finite for loops that fail for weeks.
  const doublings = Math.min(Math.max(attempt, 1) - 1, 30);
  const ceiling = Math.min(maxMs, baseMs * 2 ** doublings);
  return Math.round(ceiling * (0.5 + unit / 2));
}
