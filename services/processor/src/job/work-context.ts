import type { Progress } from "@longhaul/contracts";
import { checkpointed } from "@longhaul/job";
import type { HeldJob } from "./held-job.ts";
import type { ProgressSender } from "./progress-sender.ts";
import type { WorkContext } from "./run.ts";

/** What a run offers to its work. A checkpoint carries the progress that was reported before it. */
export function workContext(held: HeldJob, sender: ProgressSender, signal: AbortSignal): WorkContext {
  let progress: Progress = held.record.progress;
  return {
    signal,
    report(next) {
      progress = next;
      sender.report(next);
    },
    async checkpoint({ outcomes = held.record.outcomes, ...state }) {
      await held.write(checkpointed(held.record, { ...state, outcomes, progress, now: held.now() }));
    },
    async savePlan(plan) {
      const { checkpoint, outcomes } = held.record;
      await held.write(checkpointed(held.record, { checkpoint, outcomes, plan, progress, now: held.now() }));
    },
    waiting: (wait) => wait,
  };
}
