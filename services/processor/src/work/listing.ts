import type { JobRecord } from "@longhaul/contracts";
import type { Completion, Work } from "../job/run.ts";
import type { SourceOf } from "../source/sources.ts";
import { outcomesToKeep, type PlanDeps, type PlannedFiles, planFiles, planToKeep } from "./plan.ts";
import { resultExpiry } from "./result-expiry.ts";
import { UsageMeter } from "./usage-meter.ts";

export type ListingOptions = Omit<PlanDeps, "source"> & { sourceOf: SourceOf };

/**
 * The work of a job that wants its files as they lie in their store, each by itself: they are looked up, and nothing is
 * written. What it leaves is its plan and what became of each file.
 */
export function createListing(options: ListingOptions): Work {
  const { sourceOf, clock } = options;
  return async (claimed, context) => {
    const meter = new UsageMeter(context.used);
    const lists = options.lists.countedBy(meter);
    const source = meter.source(sourceOf(claimed, context), { isS3: claimed.spec.sourceKind === "s3" });
    const planned = await planFiles(claimed, context, { ...options, lists, source });
    const record = planned.isPlannedAnew ? { ...claimed, plan: null, outcomes: null } : claimed;
    return {
      ...completion(record, planned, new Date(clock.now())),
      plan: await planToKeep(record, planned, lists, context.signal),
      outcomes: await outcomesToKeep(record, planned, lists, context.signal),
    };
  };
}

function completion(
  { id, spec, progress }: JobRecord,
  { present, missing, bytesTotal }: PlannedFiles,
  now: Date,
): Omit<Completion, "outcomes"> {
  return {
    result: {
      kind: "none",
      key: null,
      filename: spec.name ?? `download_${id}`,
      sizeBytes: bytesTotal,
      contentType: "application/octet-stream",
      crc32: null,
      partial: missing.length > 0,
      expiresAt: resultExpiry(spec, now),
    },
    progress: {
      ...progress,
      filesDone: present.length,
      filesFailed: missing.length,
      bytesTotal,
      bytesDone: bytesTotal,
      currentFileId: null,
      phase: "done",
    },
  };
}
