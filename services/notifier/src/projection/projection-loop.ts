import type { Batch, BatchReader, StoredMessage } from "@longhaul/bus";
import { LOG_FIELDS } from "@longhaul/contracts";
import {
  backoffMs,
  type Logger,
  type Loop,
  sleptThrough,
  systemClock,
  systemRandom,
  traceIdOf,
} from "@longhaul/runtime";
import { type JobViews, StoreError, type View, viewOf } from "@longhaul/store";
import type { NotifierConfig } from "../config.ts";
import { newestPerJob } from "./newest-per-job.ts";
import type { ProjectionLag } from "./projection-lag.ts";

/** While the database is away: soon enough to be there when it comes back, seldom enough not to be its trouble. */
const STORE_BACKOFF = { baseMs: 250, maxMs: 5000 };

export type ProjectionDeps = {
  openReader(): BatchReader;
  views: JobViews;
  config: Pick<NotifierConfig, "projectorBatch" | "projectorPauseMs" | "tombstoneSeconds">;
  log: Logger;
  lag: ProjectionLag;
  /** What a write has shown about the database. */
  onStore(status: "up" | "down"): void;
};

/**
 * Keeps the views: takes batches of stored writes, stores the newest of each job, then acknowledges. While the database
 * is away it keeps its batch and tries again; a batch that is not acknowledged when the loop ends is delivered again,
 * to whoever asks next.
 */
export function projectionLoop(deps: ProjectionDeps): Loop {
  const { openReader, views, config } = deps;
  return {
    name: "projection",
    async run(signal) {
      await patiently(() => views.assertIndexes(), deps, signal);
      const reader = openReader();
      try {
        while (!signal.aborted) {
          const batch = await reader.next(config.projectorBatch, signal);
          await project(batch, deps, signal);
          // Under load a rest pays: what is replaced meanwhile is never delivered, and costs no view write. The spread
          // keeps several projectors from pulling in step. An idle projector stores at once.
          if (batch.full) await sleptThrough(systemClock, restMs(config.projectorPauseMs, systemRandom.unit()), signal);
        }
      } finally {
        await reader.close();
      }
    },
  };
}

/** Between 5/8 and 5/4 of the configured pause: 250 to 500 ms of 400. */
const restMs = (pauseMs: number, unit: number) => Math.round(pauseMs * 0.625 * (1 + unit));

async function project(batch: Batch, deps: ProjectionDeps, signal: AbortSignal): Promise<void> {
  const { views, lag, log } = deps;
  const oldest = batch.items[0];
  if (oldest) {
    lag.received(Date.parse(oldest.record.updatedAt));
    const newest = newestPerJob(batch.items).map((message) => viewOfMessage(message, deps));
    const refused = await patiently(() => views.upsertMany(newest), deps, signal);
    for (const { id, reason } of refused) {
      log.error(
        { [LOG_FIELDS.jobId]: id, reason },
        "a view cannot be stored and is left out; the job itself is unharmed",
      );
    }
  }
  batch.ack();
  lag.stored(batch.full);
}

function viewOfMessage({ record, seq, traceparent }: StoredMessage, { config }: ProjectionDeps): View {
  const origin = record.status === "erased" ? traceparent : record.traceparent;
  return viewOf(record, seq, traceIdOf(origin) ?? "", config.tombstoneSeconds);
}

/** Repeats a call for as long as the database does not do it; rejects with the signal's reason when that is aborted. */
async function patiently<T>(call: () => Promise<T>, { log, onStore }: ProjectionDeps, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      const result = await call();
      onStore("up");
      return result;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      onStore("down");
      const waitMs = backoffMs(failures, STORE_BACKOFF, systemRandom.unit());
      log.warn({ err: error, failures, waitMs }, "the views cannot be written now; nothing is lost, they follow");
      await systemClock.sleep(waitMs, signal);
    }
  }
}
