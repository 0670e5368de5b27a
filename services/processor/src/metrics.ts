import { JOB_CLASSES, type JobClass, METRICS } from "@longhaul/contracts";
import { Gauge, Histogram, type Metrics } from "@longhaul/runtime";

/** Upper bounds of the published duration histograms, seconds. */
const DURATION_BUCKETS = [1, 5, 10, 30, 60, 120, 300];
const MiB = 1024 ** 2;
/** Upper bounds of `file_size_bucket`, bytes. */
const SIZE_BUCKETS: readonly [string, number][] = [
  ["1MiB", MiB],
  ["10MiB", 10 * MiB],
  ["100MiB", 100 * MiB],
  ["1GiB", 1024 * MiB],
  ["10GiB", 10_240 * MiB],
];

/** The label of the smallest size bucket that holds this many bytes. */
export function fileSizeBucket(bytes: number): string {
  return SIZE_BUCKETS.find(([, limit]) => bytes <= limit)?.[0] ?? "larger";
}

export type ProcessorMetrics = ReturnType<typeof createProcessorMetrics>;

/** What gauges ask for when they are looked at. */
export type ProcessorState = {
  busySlots(): { busy: number; slots: number };
  partBufferBytes(jobClass: JobClass): number;
};

export function createProcessorMetrics({ registry }: Metrics, { busySlots, partBufferBytes }: ProcessorState) {
  new Gauge({
    name: METRICS.workerUtilization,
    help: "Slots of this processor that are busy, percent",
    registers: [registry],
    collect() {
      const { busy, slots } = busySlots();
      this.set(slots === 0 ? 0 : (100 * busy) / slots);
    },
  });
  new Gauge({
    name: METRICS.jobsActive,
    help: "Jobs that this processor runs now",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      this.set({ status: "processing" }, busySlots().busy);
    },
  });
  new Gauge({
    name: METRICS.partBufferBytes,
    help: "Bytes that running archives hold of PART_BUFFER_BYTES",
    labelNames: ["class"],
    registers: [registry],
    collect() {
      for (const jobClass of JOB_CLASSES) this.set({ class: jobClass }, partBufferBytes(jobClass));
    },
  });
  return {
    processing: new Histogram({
      name: METRICS.processing,
      help: "Time from the claim of a job to the end of that run",
      labelNames: ["outcome"],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
    duration: new Histogram({
      name: METRICS.downloadDuration,
      help: "Time from the first claim of a job to its completion",
      labelNames: ["file_size_bucket"],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
  };
}
