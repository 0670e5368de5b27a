import type { Clock, Logger, Loop } from "@longhaul/runtime";

const RESTART_MS = 1_000;

/** Runs the loop until the signal, and again when it fails, as supervision does. */
export async function keepUp(loop: Loop, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const failure = await loop.run(signal).catch((error: unknown) => error);
    if (signal.aborted) return;
    log.warn({ err: failure }, `${loop.name} stopped`);
    await clock.sleep(RESTART_MS);
  }
}
