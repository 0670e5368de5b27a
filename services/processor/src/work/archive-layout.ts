import type { JobRecord } from "@longhaul/contracts";
import type { ArchiveEntry } from "../archive/archive-entry.ts";
import { type Layout, layout, plainLayout } from "../archive/layout.ts";
import { manifestEntry } from "../archive/manifest.ts";
import { entryNames } from "../archive/names.ts";
import { ARCHIVE_MAX_BYTES } from "../archive/part-size.ts";
import { JobFailure } from "../job/job-failure.ts";
import { isPlainFile } from "./owned-file.ts";
import type { PlannedFiles } from "./plan.ts";

/** Where every byte of a job's result will be: the same for each of its runs. @throws JobFailure `FILE_TOO_LARGE` */
export function layoutOf(record: JobRecord, planned: PlannedFiles): Layout {
  const entries = entriesOf(planned);
  const [file] = entries;
  const result = isPlainFile(record) && file !== undefined ? plainLayout(file) : layout(entries);
  if (result.sizeBytes > ARCHIVE_MAX_BYTES) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
  return result;
}

/** The archive's entries: what is there, in request order, and last a manifest when something is not. */
function entriesOf({ present, missing }: PlannedFiles): ArchiveEntry[] {
  const names = entryNames(present.map((file) => file.name));
  const files = present.map(({ fileId, sizeBytes, crc32, modifiedAt }, i) => {
    return { fileId, name: names[i] ?? "", sizeBytes, crc32, modifiedAt: modifiedAt.getTime() };
  });
  return missing.length === 0 ? files : [...files, manifestEntry(files, missing)];
}
