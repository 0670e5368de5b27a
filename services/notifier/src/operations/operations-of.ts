import { type Bus, createJobStore, createWorkQueue } from "@longhaul/bus";
import { type Logger, type Loop, systemClock, systemRandom } from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import type { NotifierConfig } from "../config.ts";
import { operationsLoop } from "./operations-loop.ts";

/** The loop that does the bulk work, on the servers of this notifier. */
export function operationsOf(bus: Bus, store: Store, config: NotifierConfig, log: Logger): Loop {
  const limits = { clock: systemClock, random: systemRandom, log, timeoutMs: config.busTimeoutMs };
  const { newest, put } = createJobStore(bus, limits);
  const { enqueue } = createWorkQueue(bus, limits);
  return operationsLoop({
    operations: store.records(config.mongodbRecordsDatabase).operations,
    views: store.deadLetters,
    jobs: { newest, put, enqueue, now: () => systemClock.now() },
    policy: {
      maxAttempts: config.maxAttempts,
      deadlineSeconds: config.jobDeadlineSeconds,
      putDeadlineMs: config.busTimeoutMs,
    },
    clock: systemClock,
    token: systemRandom.token(),
    log,
  });
}
