import type { Clock, Logger, Loop, Random } from "@longhaul/runtime";

export type SweepLoopOptions = {
  name: string;
  intervalMs: number;
  round(signal: AbortSignal): Promise<void>;
  clock: Clock;
  random: Random;
  log: Logger;
};

/** Runs a sweep again and again, each time after its interval ±50 %, so that many processes do not sweep in step. */
export function sweepLoop({ name, intervalMs, round, clock, random, log }: SweepLoopOptions): Loop {
  return {
    name,
    async run(signal) {
      for (;;) {
        await clock.sleep(intervalMs * (0.5 + random.unit()), signal);
        try {
          await round(signal);
        } catch (error) {
          signal.throwIfAborted();
          log.warn({ sweep: name, err: error }, "a sweep stopped in the middle; the next one makes up for it");
        }
      }
    },
  };
}
