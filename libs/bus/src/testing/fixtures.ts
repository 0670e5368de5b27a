import { randomUUID } from "node:crypto";
import type { JobClass, JobRecord, Lane } from "@longhaul/contracts";
import { bodyHash, type Change, newJob, stamp } from "@longhaul/job";
import { createLogger, type Logger, systemClock, systemRandom } from "@longhaul/runtime";
import { type Bus, connectBus } from "../connect.ts";
import { createJobStore, type JobStore } from "../job-store.ts";
import { busMigrations } from "../migrations.ts";
import { createWorkQueue, type WorkQueue } from "../work-queue.ts";

export const silent: Logger = createLogger("test", "silent");
export const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
export const SETTINGS = { replicas: 1, jobsMaxBytes: 256 * 1024 * 1024, ackWaitMs: 3_000 };
export const PUT = { deadlineMs: 5_000, traceparent: TRACEPARENT, source: "/longhaul/test" };

export const connectTo = (url: string): Promise<Bus> =>
  connectBus({ servers: [url], name: "test", log: silent, bootTimeoutMs: 10_000 });

export async function migrate(bus: Bus, settings = SETTINGS): Promise<string[]> {
  const done: string[] = [];
  for (const step of busMigrations) done.push(...(await step.up(bus, settings)));
  return done;
}

export const storeOf = (bus: Bus): JobStore =>
  createJobStore(bus, { clock: systemClock, random: systemRandom, log: silent, timeoutMs: 2_000 });

export const queueOf = (bus: Bus): WorkQueue =>
  createWorkQueue(bus, { clock: systemClock, random: systemRandom, log: silent, timeoutMs: 2_000 });

/** The first write of a job of one file. */
export function aNewJob(options: { class?: JobClass; lane?: Lane; id?: string } = {}): Change {
  const spec: JobRecord["spec"] = {
    fileIds: [70_000],
    ref: null,
    filesTotal: 1,
    class: options.class ?? "normal",
    lane: options.lane ?? "fast",
    archive: "auto",
    name: null,
    metadata: {},
    callbackUrl: null,
    expiresInSeconds: 3600,
    maxFileBytes: null,
    sourceKind: "s3",
  };
  return newJob({
    id: options.id ?? randomUUID(),
    owner: { tenant: "acme", user: "ada", tier: "basic" },
    clientIp: null,
    userAgent: null,
    createdVia: "v1",
    traceparent: TRACEPARENT,
    spec,
    bodyHash: bodyHash(spec),
    now: new Date(),
    deadlineSeconds: 3600,
  });
}

/** A record as it would be stored. */
export function aRecord(options: Parameters<typeof aNewJob>[0] = {}): JobRecord {
  return stamp(aNewJob(options), randomUUID()) as JobRecord;
}
