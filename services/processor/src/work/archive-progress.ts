import type { JobRecord, Progress } from "@longhaul/contracts";
import type { ArchiveProgress } from "../archive/ports.ts";
import type { PlannedFiles } from "./plan.ts";

/**
 * What people are told of an archive that is this far. What was reported before this run stays the least, so that no
 * figure falls while it runs. The mean rate of the run so far gives the time that is left.
 */
export function progressReader(
  record: JobRecord,
  { present, missing, bytesTotal }: PlannedFiles,
  elapsedMs: () => number,
): (progress: ArchiveProgress) => Progress {
  const before = record.progress;
  return ({ entriesDone, bytesDone, bytesRead }) => {
    const seconds = elapsedMs() / 1000;
    const bytesPerSecond = seconds > 0 ? Math.round(bytesRead / seconds) : null;
    return {
      ...before,
      filesDone: Math.min(Math.max(entriesDone, before.filesDone), present.length),
      filesFailed: missing.length,
      bytesTotal,
      bytesDone: Math.min(Math.max(bytesDone, before.bytesDone), bytesTotal),
      bytesPerSecond,
      etaSeconds: bytesPerSecond ? Math.ceil((bytesTotal - bytesDone) / bytesPerSecond) : null,
      currentFileId: present[entriesDone]?.fileId ?? null,
      phase: entriesDone < present.length ? "reading" : "writing",
    };
  };
}
