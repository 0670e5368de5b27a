import type { JobErrorCode, JobRecord } from "@longhaul/contracts";
import type { JobFailure } from "../job/job-failure.ts";
import type { PlannedFile, Source } from "../source/source.ts";
import { type FileTries, withFileTries } from "./file-tries.ts";
import { lookUpEach } from "./look-ups.ts";
import { inRequestOrder, isOutcome, nothingThere, type PlanContext, type PlannedFiles } from "./plan.ts";
import type { RecordLists } from "./record-lists.ts";

/** A file that was there when the job was planned is refused when it is read, and the job has others. */
export function isRefusal(error: unknown, { spec }: JobRecord): error is JobFailure {
  return isOutcome(error) && error.stage === "read-source" && error.fileId !== null && spec.filesTotal > 1;
}

/**
 * A job's files without the one that was refused, and without all others that are refused too: each is asked for its first
 * bytes, because every one that is met later makes the archive begin anew.
 * @throws JobFailure ALL_FILES_FAILED when no file is left; what else is wrong with a file
 */
export async function withoutRefused(
  planned: PlannedFiles,
  refusal: JobFailure,
  record: JobRecord,
  { signal, report }: PlanContext,
  deps: FileTries & { source: Source; lists: RecordLists },
): Promise<PlannedFiles> {
  const refused = new Map<PlannedFile, JobErrorCode>();
  await lookUpEach(planned.present, signal, async (file, either) => {
    report({ ...record.progress, currentFileId: file.fileId, phase: "planning" });
    const code = file.fileId === refusal.fileId ? refusal.code : await refusalOf(file, deps, either);
    if (code !== null) refused.set(file, code);
  });
  const missing = inRequestOrder(planned).flatMap((file, index) => {
    if ("code" in file) return file;
    const code = refused.get(file);
    return code === undefined ? [] : { index, fileId: file.fileId, code };
  });
  const present = planned.present.filter((file) => !refused.has(file));
  if (present.length === 0) throw await nothingThere(record, missing, deps.lists, signal);
  const bytesTotal = present.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { present, missing, bytesTotal, isPlannedAnew: true };
}

async function refusalOf(
  file: PlannedFile,
  { source, ...tries }: FileTries & { source: Source },
  signal: AbortSignal,
): Promise<JobErrorCode | null> {
  const firstBytes = async () => {
    for await (const _ of source.open(file, 0, signal)) return;
  };
  try {
    await withFileTries(firstBytes, tries, signal);
    return null;
  } catch (error) {
    if (isOutcome(error)) return error.code;
    throw error;
  }
}
