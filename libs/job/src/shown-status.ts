import type { JobStatus, ShownStatus } from "@longhaul/contracts";

/** A job's status as the API names it: `running` is `processing` outside. */
export function shownStatus(status: JobStatus): ShownStatus {
  return status === "running" ? "processing" : status;
}
