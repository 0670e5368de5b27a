import type { ErasedRecord, JobRecord } from "@longhaul/contracts";
import type { Change } from "./change.ts";

/**
 * What is left of a deleted job: nothing personal, and no timeline. Built field by field, so that whatever a newer
 * version has put into the record goes too.
 */
export function erased(record: JobRecord, now: Date, userHash: string): Change {
  const left: ErasedRecord = {
    id: record.id,
    tenant: record.tenant,
    userHash,
    generation: record.generation,
    status: "erased",
    named: record.named,
    writeId: record.writeId,
    updatedAt: now.toISOString(),
  };
  return { type: "download.erased.v1", record: left, entry: null };
}
