import type { CoreMessages } from "@longhaul/bus";
import type { StoredRecord } from "@longhaul/contracts";
import { userHash } from "@longhaul/job";
import { jobLog, type Logger } from "@longhaul/runtime";
import type { CountEnd } from "../metrics.ts";
import type { ProgressBuffer } from "../projection/progress-buffer.ts";
import { endOf } from "./job-end.ts";

/** All notifiers are one queue group: each message is pushed, and each end counted, by one of them. */
const QUEUE = { queue: "notifier" };

export type PushDeps = { core: CoreMessages; progress: ProgressBuffer; ends: CountEnd; log: Logger };

/**
 * Passes on to the gateways what is said about jobs, as it comes. None of it is stored on the way: a gateway that misses
 * something reads the job again. Ends when the bus is closed, which lets it finish what has arrived.
 */
export function startPush({ core, progress, ends, log }: PushDeps): void {
  core.subscribeStored(
    "*",
    (stored) => {
      core.pushStored(userHashOf(stored.record), stored);
      const end = endOf(stored);
      if (!end) return;
      ends(end);
      jobLog(log, { id: stored.record.id, traceparent: stored.traceparent }).info(end, "job ended");
    },
    QUEUE,
  );
  core.subscribeProgress((id, message, traceparent) => {
    core.pushProgress(id, message, traceparent);
    progress.offer(id, message);
  }, QUEUE);
}

const userHashOf = (record: StoredRecord) =>
  record.status === "erased" ? record.userHash : userHash(record.tenant, record.user);
