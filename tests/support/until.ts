import { setTimeout as delay } from "node:timers/promises";

/** Asks again and again until the answer is neither false, null nor undefined. Fails, naming `what`, after `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const endAt = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() > endAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(50);
  }
}
