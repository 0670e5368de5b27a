import type { JobRecord } from "@longhaul/contracts";
import { isOver } from "./end.ts";

/**
 * Whether a person has to look at the failed job: all its tries are used up, or too many of its runs died. The same
 * rule is a query in libs/store (`deadLetterFilter`).
 */
export function isDeadLetter(record: JobRecord, maxAttempts: number): boolean {
  return record.status === "failed" && (record.failures >= maxAttempts || record.error?.code === "DEAD_LETTERED");
}

/**
 * Whether an operator's redrive is answered with the job: it is a dead letter, or is queued or running in a later
 * generation, so that a second click finds what the first has done. Nothing happens to the latter, whoever began that
 * generation: also a resume or a retry of the job's user.
 */
export function isRedrivable(record: JobRecord, maxAttempts: number): boolean {
  return isDeadLetter(record, maxAttempts) || (record.generation > 1 && !isOver(record));
}
