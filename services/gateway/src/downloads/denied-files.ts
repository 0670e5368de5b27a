import type { FieldError } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import { withTimeout } from "@longhaul/runtime";
import { AWAY_RETRY_SECONDS, ProblemError } from "../problem-error.ts";

const ASKING_TIMEOUT_MS = 5_000;
/** Files that an answer names. */
const NAMED_MAX = 100;

/**
 * Resolves when none of the files is denied to the one who asks.
 * @throws ProblemError `FORBIDDEN`, which names those that are; `DEPENDENCY_UNAVAILABLE` when nobody can tell
 */
export async function assertAllowed(
  deniedFiles: FileAuthorisation,
  owner: { tenant: string; user: string; tier: string },
  fileIds: readonly number[],
): Promise<void> {
  const ask = (signal: AbortSignal) => deniedFiles(owner, fileIds, signal);
  const denied = await withTimeout(ask, ASKING_TIMEOUT_MS, "Asking which files are allowed").catch((cause: unknown) => {
    const detail =
      "Whether these files are allowed cannot be told at the moment. Nothing was stored; try again shortly.";
    throw new ProblemError("DEPENDENCY_UNAVAILABLE", detail, { retryAfterSeconds: AWAY_RETRY_SECONDS }, { cause });
  });
  if (denied.length === 0) return;
  const named = denied.slice(0, NAMED_MAX).map(
    (id): FieldError => ({
      pointer: `#/fileIds/${fileIds.indexOf(id)}`,
      detail: `File ${id} is denied to you.`,
    }),
  );
  throw new ProblemError(
    "FORBIDDEN",
    `You may not have ${denied.length} of these files; \`errors\` names them. Ask for the others without them.`,
    { errors: named },
  );
}
