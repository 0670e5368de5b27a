import type { StoredMessage } from "@longhaul/bus";
import type { JobRecord, StoredRecord, TimelineEntry } from "@longhaul/contracts";

/** The end of one generation of a job, as metrics tell it. */
export type JobEnd = {
  status: "completed" | "failed" | "cancelled" | "expired";
  tier: string;
  /** From the request that began the generation. */
  seconds: number;
};

const END_EVENTS = new Set([
  "download.completed.v1",
  "download.failed.v1",
  "download.cancelled.v1",
  "download.expired.v1",
]);
/** Events of a timeline that begin a generation. */
const BEGINNINGS = new Set(["created", "resumed", "retried"]);

/** The end that a write is, null for any other write. That a result has run out is no end: its job had ended before. */
export function endOf({ type, record }: Pick<StoredMessage, "type" | "record">): JobEnd | null {
  if (!END_EVENTS.has(type) || !hasEnded(record)) return null;
  if (record.status === "expired" && record.result !== null) return null;
  return {
    status: record.status,
    tier: record.tier,
    seconds: Math.max(0, (Date.parse(record.updatedAt) - Date.parse(beganAt(record))) / 1000),
  };
}

function hasEnded(record: StoredRecord): record is JobRecord & { status: JobEnd["status"] } {
  return ["completed", "failed", "cancelled", "expired"].includes(record.status);
}

function beganAt({ timeline, createdAt }: JobRecord): string {
  return timeline.findLast((entry: TimelineEntry) => BEGINNINGS.has(entry.event))?.at ?? createdAt;
}
