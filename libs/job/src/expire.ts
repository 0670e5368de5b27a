import type { JobRecord } from "@longhaul/contracts";
import { type Change, type Occasion, told } from "./change.ts";
import { endOf, isUnfinished } from "./end.ts";
import { jobError } from "./failure.ts";
import { dueAt } from "./retention.ts";

/**
 * Whether the job's time is over now. The expiry loop finds jobs in views, which lag: one that was retried, or came to
 * another end meanwhile, is not due.
 */
export function isDue(record: JobRecord, now: Date): boolean {
  const due = dueAt(record);
  return due !== null && now >= new Date(due);
}

/**
 * What becomes of a job whose time is over. A completed one keeps its end and the description of its result; for an
 * unfinished one this is the end of its generation.
 */
export function expired(record: JobRecord, actor: string, occasion: Occasion): Change {
  const next: JobRecord = isUnfinished(record.status)
    ? {
        ...endOf(record, "expired", occasion.now),
        error: jobError("DEADLINE_EXCEEDED", record.status === "running" ? "read-source" : "claim"),
      }
    : { ...record, status: "expired" };
  return told("download.expired.v1", next, "expired", occasion, { actor, code: next.error?.code });
}
