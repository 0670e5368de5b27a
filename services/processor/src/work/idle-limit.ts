import { JobFailure } from "../job/job-failure.ts";
import type { Work, WorkContext } from "../job/run.ts";

/**
 * Work that is given up when nothing of it moves for `idleMs` milliseconds: no file looked up, no piece read, no part
 * stored, nothing written to the record. Every call in it has a time-out of its own; this is for the one that was forgotten,
 * which would keep its job for ever.
 */
export function withIdleLimit(work: Work, idleMs: number): Work {
  return async (record, context) => {
    context.signal.throwIfAborted();
    const stop = new AbortController();
    const idle = Promise.withResolvers<never>();
    const onAbort = () => stop.abort(context.signal.reason);
    context.signal.addEventListener("abort", onAbort, { once: true });
    let [waits, isPlanned] = [0, false];
    const timer = setTimeout(() => {
      // What waits for others comes to its end with theirs, and moves then.
      if (waits > 0) return;
      const cause = new Error(`nothing moved for ${idleMs} ms`);
      const failure = new JobFailure({ stage: isPlanned ? "read-source" : "plan", code: "SOURCE_TIMEOUT" }, { cause });
      stop.abort(failure);
      // Also when the work does not listen.
      idle.reject(failure);
    }, idleMs);
    const moving = <T>(result: T): T => {
      timer.refresh();
      return result;
    };
    const watched: WorkContext = {
      signal: stop.signal,
      report(progress) {
        isPlanned = progress.phase !== "planning";
        moving(context.report(progress));
      },
      used: (more) => context.used(more),
      checkpoint: async (state) => moving(await context.checkpoint(state)),
      async waiting(wait) {
        waits += 1;
        try {
          return await context.waiting(wait);
        } finally {
          waits -= 1;
          timer.refresh();
        }
      },
    };
    try {
      return await Promise.race([work(record, watched), idle.promise]);
    } finally {
      clearTimeout(timer);
      // What failed may have left other calls behind.
      stop.abort(new Error("the work has ended"));
      context.signal.removeEventListener("abort", onAbort);
    }
  };
}
