import { type Bus, createCore, createJobStore, openBatches } from "@longhaul/bus";
import { fileTypeOf } from "@longhaul/contracts";
import {
  type HealthRegistry,
  type Logger,
  type Metrics,
  supervise,
  systemClock,
  systemRandom,
} from "@longhaul/runtime";
import type { Store } from "@longhaul/store";
import type { NotifierConfig } from "./config.ts";
import { expiryLoop } from "./expiry/expiry-loop.ts";
import { createNotifierMetrics } from "./metrics.ts";
import { operationsOf } from "./operations/operations-of.ts";
import { ProgressBuffer } from "./projection/progress-buffer.ts";
import { progressLoop } from "./projection/progress-loop.ts";
import { projectionLoop } from "./projection/projection-loop.ts";
import { startPush } from "./push/push.ts";

export type NotifierDeps = {
  config: NotifierConfig;
  bus: Bus;
  store: Store;
  log: Logger;
  metrics: Metrics;
  health: HealthRegistry;
  /** Asks the loops to end what they have in hand and return. */
  signal: AbortSignal;
};

export type Notifier = {
  /** Resolves when the loops have returned. Pushes go on until the bus is closed. */
  done: Promise<void>;
};

/**
 * Starts to push each stored write and all progress to the gateways, and to keep the views. No push waits for a view.
 */
export function startNotifier({ config, bus, store, log, metrics, health, signal }: NotifierDeps): Notifier {
  const { ends, lag } = createNotifierMetrics(metrics, fileTypeOf(config));
  const progress = new ProgressBuffer();
  startPush({ core: createCore(bus, log), progress, ends, log });

  const { views } = store;
  const onStore = (status: "up" | "down") => health.report("mongodb", status);
  const jobs = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: config.busTimeoutMs });
  const loops = [
    projectionLoop({
      openReader: () => openBatches(bus, { durable: "projector", log }),
      views,
      config,
      log,
      lag,
      onStore,
    }),
    progressLoop({ buffer: progress, views, intervalMs: config.progressWriteIntervalMs, log }),
    operationsOf(bus, store, config, log),
    expiryLoop({
      ports: {
        newest: jobs.newest,
        view: views.get,
        put: jobs.put,
        now: systemClock.now,
        unit: systemRandom.unit,
      },
      ending: store.ending,
      config,
      clock: systemClock,
      random: systemRandom,
      log,
    }),
  ];
  const supervision = supervise(loops, { log, signal });
  health.watchLoops(supervision.health);
  return { done: supervision.done };
}
