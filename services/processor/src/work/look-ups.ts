import { inParallel } from "@longhaul/runtime";

/** Files looked up at a time. */
const LOOKUPS = 16;

/**
 * Looks up every one of a job's files, many at a time. The first look-up that fails stops the others, whose own tries and
 * waits would keep the slot of a job whose try is over. Rejects with its error.
 */
export async function lookUpEach<T>(
  files: Iterable<T>,
  signal: AbortSignal,
  lookUp: (file: T, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  await inParallel(files, LOOKUPS, async (file) => {
    try {
      await lookUp(file, either);
    } catch (error) {
      // Without the error as its reason: the breaker would count it once more for each one that is stopped.
      stop.abort();
      throw error;
    }
  });
}
