import { type Clock, type SyntheticRule, seededChunks } from "@longhaul/runtime";
import type { Source } from "./source.ts";

export type SyntheticSourceOptions = {
  syntheticSizeBytes: number;
  /** Where no rule says otherwise; 0 = as fast as can be. */
  syntheticRateBytesPerSecond: number;
  syntheticSeed: number;
  /** In order of their ids: the last one that begins at or before a file's id is the file's. */
  syntheticRules: readonly SyntheticRule[];
  clock: Clock;
};

/** No clock: the archive of the same files has the same bytes tomorrow. */
const MODIFIED_AT = new Date("2026-01-01T00:00:00.000Z");
const CHUNK_BYTES = 256 * 1024;
/** A file that takes its time comes in this many pieces a second at least, as one from a slow server does. */
const PIECES_PER_SECOND = 10;

/** Files that are nowhere: every id has one, of bytes that its id and the seed say, at the rate that a rule says. */
export function createSyntheticSource(options: SyntheticSourceOptions): Source {
  const { syntheticSizeBytes: sizeBytes, syntheticSeed: seed, clock } = options;
  const etag = `"${seed}-${sizeBytes}"`;
  return {
    find: async (fileId) => ({
      fileId,
      name: `${fileId}.zip`,
      sizeBytes,
      etag,
      crc32: null,
      modifiedAt: MODIFIED_AT,
    }),
    async *open(file, offset, signal) {
      const rate = rateOf(file.fileId, file.sizeBytes, options);
      const chunkBytes = Math.max(1, Math.min(CHUNK_BYTES, Math.ceil(rate / PIECES_PER_SECOND)));
      const startedAt = clock.monotonic();
      let sent = 0;
      for (const piece of seededChunks(file.fileId, file.sizeBytes, { seed, offset, chunkBytes })) {
        sent += piece.length;
        // The last byte of a piece has its time, counted from the begin, so that what we wait too long is made up for.
        const dueMs = (sent / rate) * 1000 - (clock.monotonic() - startedAt);
        if (dueMs > 0) await clock.sleep(dueMs, signal);
        signal.throwIfAborted();
        yield piece;
      }
    },
  };
}

/** Bytes per second of a file; infinite for one that takes no time. */
function rateOf(fileId: number, sizeBytes: number, options: SyntheticSourceOptions): number {
  const rule = options.syntheticRules.findLast(({ fromId }) => fromId <= fileId);
  const rate = rule ? sizeBytes / (rule.durationMs / 1000) : options.syntheticRateBytesPerSecond;
  return rate || Number.POSITIVE_INFINITY;
}
