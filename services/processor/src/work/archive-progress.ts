import type { JobRecord, Progress } from "@longhaul/contracts";
import type { ArchiveProgress } from "../archive/ports.ts";
import type { PlannedFiles } from "./plan.ts";

/**
 * What people are told of an archive that is this far. What was reported before this run stays the least, so that no
 * figure falls while it runs. The mean rate since the first report gives the time that is left.
 * @param now milliseconds of a clock that never goes back
 */
export function progressReader(
  record: JobRecord,
  { present, missing, bytesTotal }: PlannedFiles,
  now: () => number,
): (progress: ArchiveProgress) => Progress {
  const before = record.progress;
  let startedAt: number | null = null;
  return ({ entriesDone, bytesDone, bytesMoved }) => {
    startedAt ??= now();
    const seconds = (now() - startedAt) / 1000;
    const bytesPerSecond = seconds > 0 ? Math.round(bytesMoved / seconds) : null;
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
