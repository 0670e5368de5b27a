import {
  type Bus,
  createCore,
  createJobStore,
  createWorkQueue,
  type Delivery,
  type Puller,
  startPuller,
} from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import type { Objects } from "@longhaul/objects";
import {
  type HealthRegistry,
  jobLog,
  type Logger,
  type Metrics,
  type Random,
  systemClock,
  systemRandom,
} from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import { PartBuffers } from "./archive/part-buffers.ts";
import { createBreakerWatch, pauseWhileAway } from "./breakers.ts";
import type { ProcessorConfig } from "./config.ts";
import type { JobFailure } from "./job/job-failure.ts";
import type { Delivery as JobDelivery, Jobs } from "./job/ports.ts";
import type { RunEnd } from "./job/run.ts";
import { Worker, type WorkerDeps } from "./job/worker.ts";
import { createProcessorMetrics, fileSizeBucket, type ProcessorMetrics } from "./metrics.ts";
import { createSources, type Sources } from "./source/sources.ts";
import { startHousekeeping } from "./start-housekeeping.ts";
import { setAside } from "./unreadable-items.ts";
import { createProcessorWork } from "./work/processor-work.ts";
import { ownsResult } from "./work/work.ts";

export type ProcessorDeps = {
  config: ProcessorConfig;
  bus: Bus;
  objects: Objects;
  /** For housekeeping; jobs run without it. */
  store: Store;
  /** Which files a user may not have. */
  deniedFiles: FileAuthorisation;
  log: Logger;
  metrics: Metrics;
  health: HealthRegistry;
  /** Names this process in records, so that people find its log: host and pid. */
  workerName: string;
};

export type Processor = {
  /** Stops pulling and housekeeping, and hands the running jobs back; resolves when every one of them is written. */
  stop(): Promise<void>;
};

/** Starts to take work items and to run their jobs. */
export function startProcessor(deps: ProcessorDeps): Processor {
  const { config, bus, log } = deps;
  const common = { clock: systemClock, random: systemRandom, log, timeoutMs: config.busTimeoutMs };
  const queue = createWorkQueue(bus, common);
  const core = createCore(bus, log);
  const store = createJobStore(bus, common);
  const jobs: Jobs = {
    newest: store.newest,
    direct: store.direct,
    put: store.put,
    watch(id, onWrite) {
      const subscription = core.subscribeStored(id, onWrite);
      return () => subscription.close();
    },
  };
  const { objects, deniedFiles } = deps;
  const sources = createSources({ config, buckets: objects, deniedFiles, clock: systemClock });
  let puller: Puller | null = null;
  const partBuffers = new PartBuffers(config.partBufferBytes);
  const metrics = createProcessorMetrics(deps.metrics, {
    busySlots: () => ({ busy: puller?.running() ?? 0, slots: puller?.slots ?? 0 }),
    partBufferBytes: (jobClass) => partBuffers.reservedBy(jobClass),
  });
  const worker = new Worker({
    ...workerSettings({ ...deps, sources, partBuffers }),
    jobs,
    items: { alive: queue.itemAlive },
    progress: { publish: core.publishProgress },
    onEnd: (end, held, durationMs) => report(end, held.record, durationMs, metrics, log),
  });
  const stopRechecks = bus.onStatus((status) => {
    if (status === "connected") void worker.recheck();
  });
  puller = startPuller(bus, {
    slotsPerClass: { high: config.slotsHigh, normal: config.slotsNormal, batch: config.slotsBatch },
    onItem: (delivery) => (delivery.item === null ? setAside(delivery, queue, log) : worker.handle(forJob(delivery))),
    log,
  });
  const breakers = createBreakerWatch(deps);
  const { results, source } = deps.objects;
  const all = new Set([results.breaker, source.breaker, sources.webBreaker]);
  for (const breaker of all) if (breaker) breakers.watch(breaker);
  const stopPausing = pauseWhileAway(deps.objects, puller);
  const stopping = new AbortController();
  const housekeeping = startHousekeeping({ ...deps, results: deps.objects.results, signal: stopping.signal });
  deps.health.watchLoops(housekeeping.health);
  return {
    async stop() {
      stopping.abort();
      stopRechecks();
      stopPausing();
      await puller.stop();
      await worker.stop();
      await housekeeping.done;
      sources.close();
    },
  };
}

function workerSettings(
  deps: ProcessorDeps & { sources: Sources; partBuffers: PartBuffers },
): Omit<WorkerDeps, "jobs" | "items" | "progress" | "onEnd"> {
  const { config, log, workerName } = deps;
  return {
    clock: systemClock,
    random: systemRandom satisfies Random,
    log,
    source: "/longhaul/processor",
    worker: workerName,
    retention: config,
    policy: config,
    maxCrashes: config.maxCrashes,
    writeDeadlineMs: config.ackWaitMs,
    ackWaitMs: config.ackWaitMs,
    progressIntervalMs: config.progressIntervalMs,
    ownsResult,
    work: createProcessorWork(deps),
  };
}

/** One wide line and the metrics of a run. */
function report(end: RunEnd, record: JobRecord, durationMs: number, metrics: ProcessorMetrics, log: Logger): void {
  const seconds = durationMs / 1000;
  metrics.processing.observe({ outcome: end.outcome }, seconds);
  if (record.status === "completed" && record.result && record.startedAt && record.completedAt) {
    const totalSeconds = (Date.parse(record.completedAt) - Date.parse(record.startedAt)) / 1000;
    metrics.duration.observe({ file_size_bucket: fileSizeBucket(record.result.sizeBytes) }, totalSeconds);
  }
  const level = end.failure ? "warn" : "info";
  if (!log.isLevelEnabled(level)) return;
  const { generation, failures, crashes, status, progress } = record;
  const failure = end.failure && causeOf(end.failure);
  jobLog(log, record)[level](
    {
      outcome: end.outcome,
      status,
      generation,
      failures,
      crashes,
      bytes: progress.bytesDone,
      copies: record.usage.copies,
      durationMs: Math.round(durationMs),
      ...failure,
    },
    "run ended",
  );
}

/** Only what nobody foresaw is told with its stack. */
function causeOf({ stage, code, fileId, cause }: JobFailure): Record<string, unknown> {
  const why = cause instanceof Error ? { cause: code === "INTERNAL" ? cause : cause.message } : {};
  return { stage, code, ...(fileId === null ? {} : { fileId }), ...why };
}

/** A delivery in the words of the worker, which knows nothing of NATS. */
function forJob(delivery: Extract<Delivery, { item: object }>): JobDelivery {
  const { item, sequence, deliveryCount } = delivery;
  return {
    id: item.id,
    generation: item.generation,
    sequence,
    count: deliveryCount,
    known: item.known,
    ack: () => delivery.ack(),
    nak: (delayMs) => delivery.nak(delayMs),
    working: () => delivery.working(),
  };
}
