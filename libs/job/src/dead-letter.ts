import type { JobRecord } from "@longhaul/contracts";

/**
 * Whether a person has to look at the failed job: all its tries are used up, or too many of its runs died. The same
 * rule is a query in libs/store (`deadLetterFilter`).
 */
export function isDeadLetter(record: JobRecord, maxAttempts: number): boolean {
  return record.status === "failed" && (record.failures >= maxAttempts || record.error?.code === "DEAD_LETTERED");
}
