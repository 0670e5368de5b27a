import { setTimeout as delay } from "node:timers/promises";

/** Time as the code of services sees it; simulations bring their own. */
export type Clock = {
  /** Wall clock, milliseconds since the epoch. For times that are stored or shown. */
  now(): number;
  /** Milliseconds from an arbitrary origin that never goes back. For durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await delay(ms, undefined, signal ? { signal } : undefined);
    } catch (error) {
      // Node wraps the reason in an AbortError of its own; callers want the reason that was given.
      throw signal?.reason ?? error;
    }
  },
};

/** Sleeps; true when the time is over, false as soon as the signal is aborted. Never rejects. */
export async function sleptThrough(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch {
    return false;
  }
}
