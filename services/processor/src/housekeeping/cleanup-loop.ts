import type { Batch, BatchReader, StoredMessage } from "@longhaul/bus";
import { LOG_FIELDS } from "@longhaul/contracts";
import { type Clock, inParallel, type Logger, type Loop, type Random, sleptThrough } from "@longhaul/runtime";
import { type CleanupDeps, cleanup } from "./cleanup.ts";

/** Most messages are no ends and cost nothing. */
const BATCH = 500;
const WIDTH = 8;
/** After a full batch: what is replaced meanwhile is never delivered. */
const REST_MS = 500;

export type CleanupLoopDeps = CleanupDeps & {
  openReader(): BatchReader;
  clock: Clock;
  random: Random;
  log: Logger;
};

/** Cleans up after each end and deletion that is written. What fails is delivered again after ack_wait. */
export function cleanupLoop(deps: CleanupLoopDeps): Loop {
  return {
    name: "cleanup",
    async run(signal) {
      const reader = deps.openReader();
      try {
        while (!signal.aborted) {
          const { full } = await cleanUpNext(reader, deps, signal);
          if (full) await sleptThrough(deps.clock, REST_MS * (0.5 + deps.random.unit()), signal);
        }
      } finally {
        await reader.close();
      }
    },
  };
}

/** Of the batch only this is left when it returns: what rests in memory during a pause is dear to the garbage collector. */
async function cleanUpNext(
  reader: BatchReader,
  deps: CleanupLoopDeps,
  signal: AbortSignal,
): Promise<Pick<Batch, "full">> {
  const batch = await reader.next(BATCH, signal);
  await cleanUp(batch, deps, signal);
  return { full: batch.full };
}

async function cleanUp(batch: Batch, deps: CleanupLoopDeps, signal: AbortSignal): Promise<void> {
  const failed = new Map<StoredMessage, unknown>();
  await inParallel(batch.items, WIDTH, async (message) => {
    try {
      await cleanup(message.record, deps, signal);
    } catch (error) {
      signal.throwIfAborted();
      failed.set(message, error);
    }
  });
  batch.ack({ but: new Set(failed.keys()) });
  // One line for all: while the store is away they fail alike.
  const [first] = failed;
  if (!first) return;
  const [{ record, seq }, err] = first;
  const fields = { [LOG_FIELDS.jobId]: record.id, seq, failed: failed.size, err };
  deps.log.warn(fields, "jobs could not be cleaned up after, this one among them; they are tried again");
}
