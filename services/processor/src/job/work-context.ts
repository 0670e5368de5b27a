import type { Progress } from "@longhaul/contracts";
import { checkpointed } from "@longhaul/job";
import type { HeldJob } from "./held-job.ts";
import type { ProgressSender } from "./progress-sender.ts";
import type { WorkContext } from "./run.ts";

/** What a run offers to its work. A checkpoint carries the progress and the usage that were reported before it. */
export function workContext(held: HeldJob, sender: ProgressSender, signal: AbortSignal): WorkContext {
  let progress: Progress = held.record.progress;
  return {
    signal,
    report(next) {
      progress = next;
      sender.report(next);
    },
    used(more) {
      held.used(more);
    },
    async checkpoint(state) {
      const { checkpoint, outcomes } = held.record;
      const { usage } = held;
      const change = checkpointed(held.record, { checkpoint, outcomes, ...state, usage, progress, now: held.now() });
      await held.write(change);
    },
    waiting: (wait) => wait,
  };
}
