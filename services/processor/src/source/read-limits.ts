import { JobFailure } from "../job/job-failure.ts";

/** How slow a source may be before it is given up. */
export type ReadLimits = {
  /** The longest wait for one piece, milliseconds; and the stretch over which the rate is taken. */
  fileIdleTimeoutMs: number;
  sourceMinBytesPerSecond: number;
};

/**
 * The pieces of a file, for as long as they come: SOURCE_TIMEOUT when the next one takes too long, or when many small ones
 * come too slowly. Only the time that we wait for the source counts, not the time that we take ourselves.
 * @param giveUp ends the read with this error, so that a waiting `next` rejects with it
 */
export async function* inTime(
  pieces: AsyncIterable<Uint8Array>,
  fileId: number,
  { fileIdleTimeoutMs: idleMs, sourceMinBytesPerSecond }: ReadLimits,
  giveUp: (why: JobFailure) => void,
): AsyncGenerator<Uint8Array> {
  const source = pieces[Symbol.asyncIterator]();
  const leastBytes = (sourceMinBytesPerSecond * idleMs) / 1000;
  let waitedMs = 0;
  let bytes = 0;
  let waiting = false;
  // One timer for all pieces: it is set anew with each, and means nothing while nobody waits.
  const timer = setTimeout(() => waiting && giveUp(tooSlow(fileId, `nothing came for ${idleMs} ms`)), idleMs);
  try {
    for (;;) {
      waiting = true;
      timer.refresh();
      const since = performance.now();
      const { done, value } = await source.next();
      waiting = false;
      if (done) return;
      waitedMs += performance.now() - since;
      bytes += value.length;
      if (waitedMs >= idleMs) {
        if (bytes < leastBytes) throw tooSlow(fileId, `${bytes} bytes in ${Math.round(waitedMs)} ms`);
        waitedMs = 0;
        bytes = 0;
      }
      yield value;
    }
  } finally {
    clearTimeout(timer);
    // Not waited for: a source that hangs would not answer.
    void source.return?.().catch(() => {});
  }
}

function tooSlow(fileId: number, what: string): JobFailure {
  return new JobFailure({ stage: "read-source", code: "SOURCE_TIMEOUT", fileId }, { cause: new Error(what) });
}
