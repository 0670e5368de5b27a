import type { JobRecord } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import { withTimeout } from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import type { PlannedFile, Source } from "./source.ts";

const ASKING_TIMEOUT_MS = 5_000;

/** The source as the job's owner may see it: a file that is denied is PERMISSION_DENIED, and is not looked for. */
export function authorised<File extends PlannedFile>(
  source: Source<File>,
  { tenant, user, tier }: JobRecord,
  denied: FileAuthorisation,
): Source<File> {
  return {
    async find(fileId, signal) {
      const ask = (stopped: AbortSignal) => denied({ tenant, user, tier }, [fileId], stopped);
      const files = await withTimeout(ask, ASKING_TIMEOUT_MS, "Asking whether a file is allowed", signal);
      if (files.includes(fileId)) throw new JobFailure({ stage: "plan", code: "PERMISSION_DENIED", fileId });
      return await source.find(fileId, signal);
    },
    open: (file, offset, signal) => source.open(file, offset, signal),
  };
}
