import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connectBus, createJobStore, createWorkQueue } from "@longhaul/bus";
import type { JobRecord, JobSpec } from "@longhaul/contracts";
import { bodyHash, newJob } from "@longhaul/job";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import type { Stack } from "../../deploy/local/src/stack/start-stack.ts";

/** What the subjects of the engine share. */
export type Shared = { stack: Stack; jobs: Jobs };

/** Creates jobs as a gateway does, without one. */
export type Jobs = {
  /** Stores the job and puts its work item. */
  create(fileIds: number[], spec: Pick<JobSpec, "sourceKind" | "archive">): Promise<string>;
  /** Work items that no processor has been handed yet. */
  waiting(): Promise<number>;
  /** The job when it has ended. @throws Error when it has not completed, or not within `withinMs` */
  completed(id: string, withinMs: number): Promise<JobRecord>;
  close(): Promise<void>;
};

const TRACE_ID = "0".repeat(31).concat("1");
const TRACEPARENT = `00-${TRACE_ID}-0000000000000001-00`;
const DAY_SECONDS = 86_400;
const LOOK_EVERY_MS = 20;

export async function connectJobs(natsUrl: string): Promise<Jobs> {
  const log = createLogger("bench", "warn");
  const bus = await connectBus({ servers: [natsUrl], name: "longhaul-bench", log });
  const common = { clock: systemClock, random: systemRandom, log, timeoutMs: 10_000 };
  const store = createJobStore(bus, common);
  const queue = createWorkQueue(bus, common);
  return {
    async create(fileIds, { sourceKind, archive }) {
      const id = randomUUID();
      const change = jobOf(id, fileIds, { sourceKind, archive });
      const options = { deadlineMs: 10_000, traceparent: TRACEPARENT, source: "/longhaul/bench" };
      const put = await store.put(id, 0, change, options);
      if (put.kind !== "done" || put.record.status === "erased") throw new Error(`the create of a job is ${put.kind}`);
      await queue.enqueue(put.record, put.seq);
      return id;
    },
    async completed(id, withinMs) {
      const endAt = performance.now() + withinMs;
      for (;;) {
        const record = (await store.newest(id))?.record;
        if (record?.status === "completed") return record;
        const over = record === undefined || record.status === "failed" || performance.now() > endAt;
        if (over) throw new Error(`job ${id} is ${record?.status ?? "gone"}, and not completed`);
        await delay(LOOK_EVERY_MS);
      }
    },
    waiting: () => queue.length(),
    close: () => bus.close(),
  };
}

/** A queued job as it is before its first write. */
export function jobOf(id: string, fileIds: number[], { sourceKind, archive }: Pick<JobSpec, "sourceKind" | "archive">) {
  const spec: JobSpec = {
    fileIds,
    ref: null,
    filesTotal: fileIds.length,
    class: "normal",
    lane: "fast",
    archive,
    name: null,
    metadata: {},
    callbackUrl: null,
    expiresInSeconds: DAY_SECONDS,
    maxFileBytes: null,
    sourceKind,
  };
  return newJob({
    id,
    owner: { tenant: "default", user: "bench", tier: "unlimited" },
    clientIp: null,
    userAgent: null,
    createdVia: "v1",
    traceparent: TRACEPARENT,
    traceId: TRACE_ID,
    spec,
    bodyHash: bodyHash(spec),
    now: new Date(),
    deadlineSeconds: 7 * DAY_SECONDS,
  });
}
