/** Published metric names (Prometheus). Units are in the names; labels beside each. */
export const METRICS = {
  /** `user_tier`, `file_type` */
  downloadsStarted: "downloads_started_total",
  /** `status`, `user_tier`, `file_type` */
  downloadsCompleted: "downloads_completed_total",
  /** Seconds from claim to end; `file_size_bucket` */
  downloadDuration: "download_duration_seconds",
  /** `status` */
  jobsActive: "download_jobs_active",
  /** Work items that nobody has been handed yet, of all classes. */
  queueLength: "download_queue_length",
  /** 0..100 */
  workerUtilization: "download_worker_utilization",
  /** Bytes that running archives hold of the memory for parts; `class` */
  partBufferBytes: "download_part_buffer_bytes",
  initiated: "download_initiated_total",
  completed: "download_completed_total",
  failed: "download_failed_total",
  cancelled: "download_cancelled_total",
  /** Seconds from create to end. */
  endToEnd: "download_e2e_seconds",
  /** Seconds from claim to end. */
  processing: "download_processing_seconds",
  statusChecks: "download_status_checks_total",
  /** Seconds between a stored write and its view. */
  projectionLag: "download_projection_lag_seconds",
  /** Uploads, objects and work items that housekeeping removed; `what`, `by` */
  housekeepingRemoved: "download_housekeeping_removed_total",
  /** Work items that the requeue sweep had to make again. */
  requeued: "download_requeued_total",
  /** `route`, `method`, `status` */
  httpRequestDuration: "http_server_request_duration_seconds",
  /** WebSockets open now. */
  socketsOpen: "download_sockets_open",
  /** `dependency` */
  dependencyUp: "dependency_up",
  /** 1 while calls to the side that `breaker` names are not made, else 0. */
  breakerOpen: "circuit_breaker_open",
} as const;

/** Fields of log lines. */
export const LOG_FIELDS = { jobId: "job_id", traceId: "trace_id" } as const;

/** By what the files of the configured source are found. */
type SourceTemplates = { sourceKind: string; sourceKeyTemplate: string; httpSourceTemplate?: string | undefined };

/** Label `file_type`: the extension that all files of the source have, the same in every service. */
export function fileTypeOf({ sourceKind, sourceKeyTemplate, httpSourceTemplate = "" }: SourceTemplates): string {
  const template = sourceKind === "http" ? httpSourceTemplate : sourceKeyTemplate;
  return /\.(\w{1,16})$/.exec(template)?.[1] ?? "other";
}
