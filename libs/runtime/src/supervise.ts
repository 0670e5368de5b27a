import { type Clock, systemClock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import { type Random, systemRandom } from "./random.ts";
import { backoffMs } from "./retry.ts";

/** A part of a service that runs until its signal is aborted. To return before, or to reject, counts as a failure. */
export type Loop = { name: string; run(signal: AbortSignal): Promise<void> };

export type LoopHealth = {
  name: string;
  /** `waiting`: it failed and will be started again in a moment. */
  status: "running" | "waiting" | "stopped";
  restarts: number;
};

export type Supervision = {
  /** Resolves, never rejects, when the signal was aborted and every loop has returned. */
  done: Promise<void>;
  health(): LoopHealth[];
};

export type SuperviseOptions = { log: Logger; signal: AbortSignal; clock?: Clock; random?: Random };

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** A loop that ran this long had recovered: its next failure is a first one again. */
const RECOVERED_MS = 60_000;

/** Runs the loops side by side and starts each that fails again, after a wait that grows to half a minute. */
export function supervise(loops: readonly Loop[], options: SuperviseOptions): Supervision {
  const states = loops.map((loop) => ({
    loop,
    health: { name: loop.name, status: "running", restarts: 0 } as LoopHealth,
  }));
  const running = states.map(({ loop, health }) => keepRunning(loop, health, options));
  return {
    done: Promise.all(running).then(() => undefined),
    health: () => states.map(({ health }) => ({ ...health })),
  };
}

async function keepRunning(loop: Loop, health: LoopHealth, options: SuperviseOptions): Promise<void> {
  const { signal, clock = systemClock, random = systemRandom } = options;
  const log = options.log.child({ loop: loop.name });
  let failures = 0;
  while (!signal.aborted) {
    health.status = "running";
    const startedMs = clock.monotonic();
    const error = await runOnce(loop, signal);
    if (signal.aborted) {
      if (error !== signal.reason && !isAbort(error)) log.warn({ err: error }, "loop failed while it was stopped");
      break;
    }
    failures = clock.monotonic() - startedMs >= RECOVERED_MS ? 1 : failures + 1;
    const waitMs = backoffMs(failures, BACKOFF, random.unit());
    log.error({ err: error, failures, waitMs }, "loop failed, it is started again");
    health.status = "waiting";
    health.restarts++;
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
  health.status = "stopped";
}

async function runOnce(loop: Loop, signal: AbortSignal): Promise<unknown> {
  try {
    await loop.run(signal);
    return signal.aborted
      ? signal.reason
      : new Error(`The loop ${loop.name} returned although nobody asked it to stop.`);
  } catch (error) {
    return error;
  }
}

const isAbort = (error: unknown) => error instanceof Error && error.name === "AbortError";
