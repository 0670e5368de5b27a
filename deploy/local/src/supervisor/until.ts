import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks `probe` every `everyMs` until it answers true. Returns false when `timeoutMs` have passed or `signal` was
 * aborted; a probe that throws has answered false.
 */
export async function until(
  probe: () => boolean | Promise<boolean>,
  { timeoutMs, everyMs = 50, signal }: { timeoutMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!signal?.aborted && performance.now() < deadline) {
    const yes = await Promise.resolve(probe()).catch(() => false);
    if (yes) {
      return true;
    }
    await sleep(everyMs);
  }
  return false;
}

/** True when `url` answers one of `statuses` within `timeoutMs`. */
export async function answers(url: string, statuses: readonly number[], timeoutMs = 2_000): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "manual" }).catch(() => null);
  await response?.body?.cancel();
  return response !== null && statuses.includes(response.status);
}
