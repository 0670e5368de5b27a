import { randomUUID } from "node:crypto";
import {
  type Bus,
  busMigrations,
  connectBus,
  createCore,
  createJobStore,
  createWorkQueue,
  type JobStore,
  type StoredMessage,
  startPuller,
  type WorkQueue,
} from "@longhaul/bus";
import type { JobRecord, JobSpec } from "@longhaul/contracts";
import { type ControlCommand, decide, newJob, userHash } from "@longhaul/job";
import { type Clock, createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { newJobInput, POLICY } from "../../libs/job/src/testing/index.ts";
import type { RunEnd, Work } from "../../services/processor/src/job/run.ts";
import { Worker } from "../../services/processor/src/job/worker.ts";
import { ownsResult } from "../../services/processor/src/work/work.ts";
import { startOwnServer } from "./own-server.ts";

export const ACK_WAIT_MS = 2_000;
const JOBS_MAX_BYTES = 1024 ** 2;
const TRACEPARENT = newJobInput().traceparent;
const log = createLogger("test", "silent");
const common = { clock: systemClock, random: systemRandom, log, timeoutMs: 5_000 };

/** A clock of a process that can stand still: its timers go off when it goes on. */
export function stoppableClock(): Clock & { goOn(): void } {
  const standing = Promise.withResolvers<void>();
  let stands = true;
  return {
    ...systemClock,
    async sleep(ms, signal) {
      await systemClock.sleep(ms, signal);
      if (stands) await standing.promise;
    },
    goOn() {
      stands = false;
      standing.resolve();
    },
  };
}

export type RunningWorker = { ends: RunEnd["outcome"][]; stop(): Promise<void> };

/** `clock`: of a process that may stand still. `bus`: a connection of its own. */
export type WorkerOptions = { slots?: number; clock?: Clock; bus?: Bus };

/** Servers that somebody else started and removes. */
export type BenchServers = { url: string; replicas: number };

/** Real streams, and workers on them whose work a test decides. */
export type WorkerBench = {
  jobs: JobStore;
  queue: WorkQueue;
  startWorker(work: Work, options?: WorkerOptions): RunningWorker;
  /** Creates a job; `itemless`: nobody is told to run it. `spec` may name payloads that lie under the `id`. */
  create(options?: { itemless?: boolean; id?: string; spec?: JobSpec }): Promise<string>;
  /** Calls back with each write that is stored from now on; some may be missed. */
  onStored(listener: (stored: StoredMessage) => void): void;
  record(id: string): Promise<JobRecord>;
  /** Writes a command as a gateway does, with the item of the generation that it begins. */
  command(id: string, type: ControlCommand | "erase"): Promise<void>;
  remove(): Promise<void>;
};

export async function startWorkerBench(servers?: BenchServers): Promise<WorkerBench> {
  const own = servers ? null : await startOwnServer("nats");
  const bus = await connectBus({ servers: [servers?.url ?? own?.url ?? ""], name: "test", log });
  const settings = { replicas: servers?.replicas ?? 1, jobsMaxBytes: JOBS_MAX_BYTES, ackWaitMs: ACK_WAIT_MS };
  for (const step of busMigrations) await step.up(bus, settings);
  const jobs = createJobStore(bus, common);
  const queue = createWorkQueue(bus, common);
  const core = createCore(bus, log);
  const put = { deadlineMs: 10_000, traceparent: TRACEPARENT, source: "/longhaul/test" };
  return {
    jobs,
    queue,
    startWorker: (work, options) => startWorker(work, { bus, ...options }),
    async create({ itemless = false, id = randomUUID(), spec = newJobInput().spec } = {}) {
      const done = await jobs.put(id, 0, newJob(newJobInput({ id, spec, now: new Date() })), put);
      if (done.kind !== "done" || done.record.status === "erased") throw new Error(`the create is ${done.kind}`);
      if (!itemless) await queue.enqueue(done.record, done.seq);
      return id;
    },
    onStored: (listener) => void core.subscribeStored("*", listener),
    async record(id) {
      const stored = await jobs.newest(id);
      if (!stored || stored.record.status === "erased") throw new Error(`there is no job ${id}`);
      return stored.record;
    },
    async command(id, type) {
      for (;;) {
        const stored = await jobs.newest(id);
        if (!stored || stored.record.status === "erased") throw new Error(`there is no job ${id}`);
        const { tenant, user } = stored.record;
        const rules = { ...POLICY, userHash: userHash(tenant, user), archived: false };
        const decision = decide(stored.record, { type, actor: "test" }, new Date(), rules);
        if (decision.kind !== "change") throw new Error(`${type} of ${stored.record.status}: ${decision.kind}`);
        const done = await jobs.put(id, stored.seq, decision.change, put);
        if (done.kind === "conflict") continue;
        if (done.kind !== "done") throw new Error(`${type} is ${done.kind}`);
        if (done.record.status === "queued") await queue.enqueue(done.record, done.seq);
        return;
      }
    },
    async remove() {
      await bus.close();
      await own?.remove();
    },
  };
}

function startWorker(
  work: Work,
  { bus, slots = 20, clock = systemClock }: WorkerOptions & { bus: Bus },
): RunningWorker {
  const jobs = createJobStore(bus, common);
  const queue = createWorkQueue(bus, common);
  const core = createCore(bus, log);
  const ends: RunEnd["outcome"][] = [];
  const worker = new Worker({
    ...{ clock, random: systemRandom, log, source: "/longhaul/test", worker: `test-${randomUUID().slice(0, 4)}` },
    jobs: {
      newest: jobs.newest,
      direct: jobs.direct,
      put: jobs.put,
      watch(id, onWrite) {
        const subscription = core.subscribeStored(id, onWrite);
        return () => subscription.close();
      },
    },
    items: { alive: queue.itemAlive },
    progress: { publish: core.publishProgress },
    retention: POLICY,
    policy: POLICY,
    maxCrashes: POLICY.maxCrashes,
    ...{ writeDeadlineMs: 20_000, ackWaitMs: ACK_WAIT_MS, progressIntervalMs: 100 },
    ownsResult,
    work,
    onEnd: ({ outcome }) => ends.push(outcome),
  });
  const puller = startPuller(bus, {
    slotsPerClass: { high: 0, normal: slots, batch: 0 },
    async onItem({ item, sequence, deliveryCount, ack, nak, working }) {
      if (item === null) throw new Error("an item that nobody can read");
      await worker.handle({ ...item, sequence, count: deliveryCount, ack, nak, working });
    },
    log,
  });
  return {
    ends,
    async stop() {
      await puller.stop();
      await worker.stop();
    },
  };
}
