import { METRICS } from "@longhaul/contracts";
import { Counter, Gauge, Histogram, type Metrics } from "@longhaul/runtime";
import { ProjectionLag } from "./projection/projection-lag.ts";
import type { JobEnd } from "./push/job-end.ts";

/** Seconds, from an object that is handed out at once to a job that takes the night. */
const END_TO_END_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 900, 3600, 21_600];

/** Tells the metrics that a job has ended. */
export type CountEnd = (end: JobEnd) => void;

/** @param fileType the kind of file that jobs hand out, as a label */
export function createNotifierMetrics({ registry }: Metrics, fileType: string): { ends: CountEnd; lag: ProjectionLag } {
  const registers = [registry];
  const lag = new ProjectionLag();
  new Gauge({
    name: METRICS.projectionLag,
    help: "Age of the oldest write that is not in its view yet, as far as this notifier has received it",
    registers,
    collect() {
      this.set(lag.seconds());
    },
  });
  const all = new Counter({
    name: METRICS.downloadsCompleted,
    help: "Ends of jobs, one for each generation",
    labelNames: ["status", "user_tier", "file_type"],
    registers,
  });
  const completed = new Counter({ name: METRICS.completed, help: "Jobs that were completed", registers });
  const failed = new Counter({ name: METRICS.failed, help: "Jobs that failed", registers });
  const cancelled = new Counter({ name: METRICS.cancelled, help: "Jobs that were cancelled", registers });
  const byStatus: Partial<Record<JobEnd["status"], Counter>> = { completed, failed, cancelled };
  const endToEnd = new Histogram({
    name: METRICS.endToEnd,
    help: "Time from the request to the end of jobs that were completed or failed",
    buckets: END_TO_END_BUCKETS,
    registers,
  });
  return {
    lag,
    ends({ status, tier, seconds }) {
      all.inc({ status, user_tier: tier, file_type: fileType });
      byStatus[status]?.inc();
      if (status === "completed" || status === "failed") endToEnd.observe(seconds);
    },
  };
}
