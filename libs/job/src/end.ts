import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { atRest } from "./progress.ts";

/** The ends that a generation can have. (`expired` may also follow `completed`, when the result's time is over.) */
export type EndStatus = "completed" | "failed" | "cancelled" | "expired";

/** The generation has had its end. */
export function isEnded(status: StoredRecord["status"]): status is EndStatus {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "expired";
}

/** The job is still to come to an end. */
export function isUnfinished(status: StoredRecord["status"]): status is "queued" | "running" | "paused" {
  return status === "queued" || status === "running" || status === "paused";
}

/** The record of a job, and not what deleting one has left. */
export function isLive(record: StoredRecord): record is JobRecord {
  return record.status !== "erased";
}

/** Nobody is to work on the job as it stands: it has ended, is paused, or was erased. */
export function isOver(record: StoredRecord): boolean {
  return record.status !== "queued" && record.status !== "running";
}

/** What all ends have in common. The checkpoint goes, so that cleanup finds no upload named; no error, no result yet. */
export function endOf(record: JobRecord, status: EndStatus, now: Date): JobRecord {
  return {
    ...record,
    status,
    run: null,
    retryAt: null,
    error: null,
    completedAt: now.toISOString(),
    checkpoint: null,
    progress: atRest(record.progress, "done"),
  };
}
