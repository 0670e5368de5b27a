const BASE_MS = 250;
const HIGHEST_MS = 10_000;
/** After it has run this long, a process that dies is restarted as if it were the first time. */
export const SETTLED_AFTER_MS = 10_000;

/** How long to wait before restart number `restarts` (from 0): doubling up to 10 s, and 0 to 20 % more by `unit` (0..1). */
export function restartDelayMs(restarts: number, unit: number): number {
  return Math.min(BASE_MS * 2 ** Math.min(restarts, 10), HIGHEST_MS) * (1 + 0.2 * unit);
}
