import { extname } from "node:path";
import type { JobRecord, JobResult } from "@longhaul/contracts";
import type { PlannedFile } from "../source/source.ts";

const ZIP = "application/zip";
/** Whatever else a source has: nobody looks into it, and a browser is not to either. */
const ANY = "application/octet-stream";

/** Whether the result of a job is its one file, and not an archive of it. */
export function isPlainFile({ spec }: Pick<JobRecord, "spec">): boolean {
  return spec.archive === "auto" && spec.filesTotal === 1;
}

/** Under which name and type a result is handed out that the job has made. A file keeps the extension that it had. */
export function ownedFile(
  record: Pick<JobRecord, "id" | "spec">,
  files: readonly PlannedFile[],
): Pick<JobResult, "filename" | "contentType"> {
  const { id, spec } = record;
  const [file] = files;
  if (!isPlainFile(record) || file === undefined) {
    return { filename: spec.name ?? `download_${id}.zip`, contentType: ZIP };
  }
  const extension = extname(file.name);
  return {
    filename: spec.name ?? `file-${file.fileId}${extension}`,
    contentType: extension.toLowerCase() === ".zip" ? ZIP : ANY,
  };
}
