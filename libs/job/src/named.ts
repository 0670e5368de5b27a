import type { JobRecord } from "@longhaul/contracts";

/**
 * The record with `named` as it must be: true once the job has chosen any key under `results/` or `payload/`, and for
 * ever after, because an object may be there that the record no longer names. Cleanup lists only for named jobs.
 */
export function namesKeys(record: JobRecord): JobRecord {
  const { spec, plan, checkpoint, outcomes, result } = record;
  const refs = [spec.ref, plan?.ref, outcomes !== null && "ref" in outcomes.exceptions];
  const named = record.named || checkpoint !== null || result?.kind === "owned" || refs.some(Boolean);
  return { ...record, named };
}
