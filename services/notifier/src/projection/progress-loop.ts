import { type Logger, type Loop, sleptThrough, systemClock } from "@longhaul/runtime";
import { type JobViews, StoreError } from "@longhaul/store";
import type { ProgressBuffer } from "./progress-buffer.ts";

export type ProgressLoopDeps = {
  buffer: ProgressBuffer;
  views: JobViews;
  /** Shortest time between two writes of one job's progress. */
  intervalMs: number;
  log: Logger;
};

/** Writes progress into the views, all jobs that have moved at a time; once more at the end. */
export function progressLoop({ buffer, views, intervalMs, log }: ProgressLoopDeps): Loop {
  const flush = async () => {
    const updates = buffer.pending();
    try {
      await views.writeProgress(updates);
      buffer.written(updates);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Newer progress takes its place until the database is back.
      log.debug({ err: error, jobs: updates.length }, "progress could not be written to the views");
    }
  };
  return {
    name: "progress",
    async run(signal) {
      while (await sleptThrough(systemClock, intervalMs, signal)) await flush();
      await flush();
    },
  };
}
