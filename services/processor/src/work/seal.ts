import type { Checkpoint, UploadedPart } from "@longhaul/contracts";
import { ObjectsError } from "@longhaul/objects";
import { JobFailure } from "../job/job-failure.ts";
import type { ArchiveJob, Made } from "./archive-job.ts";
import { storing } from "./storing.ts";
import { sentParts } from "./upload-log.ts";

/** Exactly what Complete sends, and what must come of it. */
export type Seal = NonNullable<Checkpoint["sealed"]>;
type SealedJob = Pick<ArchiveJob, "results" | "lists" | "context">;
type NamedUpload = { key: string; id: string };

/**
 * What an earlier run has sealed: there already when it died after Complete, else completed now. Null when its upload is
 * no more, has other parts by now or gives no object, or when the list of its parts is lost: nothing is to go on from.
 */
export async function finishSealed({ upload, sealed }: Checkpoint, job: SealedJob): Promise<Made | null> {
  if (upload.id === null || sealed === null) return null;
  const { key, id } = upload;
  const made = { key, sizeBytes: sealed.sizeBytes, crc32: sealed.crc32 };
  if (await isStored(key, sealed, job)) return made;
  const parts = await job.lists.find("parts", sealed.parts, job.context.signal);
  if (parts === null) return null;
  const refused = await complete({ key, id }, sealed, parts, job);
  if (await isStored(key, sealed, job)) return made;
  // A store that was killed while it joined the parts may answer well for ever, and have neither object nor upload.
  if (refused === null || isGone(refused)) return null;
  throw refused;
}

/** Completes what was just sealed, and looks at what came of it. */
export async function completeSealed(upload: NamedUpload, sealed: Seal, job: SealedJob): Promise<void> {
  const parts = await job.lists.read("parts", sealed.parts, job.context.signal);
  const refused = await complete(upload, sealed, parts, job);
  if (!(await isStored(upload.key, sealed, job))) throw refused ?? notThere();
}

/**
 * Gives the error, if there was one, for what the store answers is no proof: it may answer well without having the
 * object, and an answer that was lost makes the next call say that there is no such upload.
 */
async function complete(
  upload: NamedUpload,
  { sizeBytes, crc32 }: Seal,
  parts: readonly UploadedPart[],
  { results, context: { signal, waiting } }: SealedJob,
): Promise<unknown> {
  try {
    // Nothing of the job moves while the store joins its parts.
    const joined = storing(() => results.completeUpload(upload, sentParts(parts), { sizeBytes, crc32, signal }));
    await waiting(joined);
    return null;
  } catch (error) {
    return error;
  }
}

async function isStored(key: string, { sizeBytes, crc32 }: Seal, { results, context }: SealedJob): Promise<boolean> {
  const stored = await storing(() => results.head(key, { signal: context.signal }));
  if (stored === null) return false;
  if (stored.sizeBytes === sizeBytes && (stored.crc32 ?? crc32) === crc32) return true;
  throw new JobFailure({ stage: "write-result", code: "CHECKSUM_MISMATCH" });
}

/** Whether the store says that there is no such upload, or none that could be completed with these parts. */
function isGone(refused: unknown): boolean {
  const cause = refused instanceof JobFailure ? refused.cause : null;
  return cause instanceof ObjectsError && (cause.code === "NOT_FOUND" || cause.code === "REJECTED");
}

const notThere = () => new JobFailure({ stage: "write-result", code: "S3_UPLOAD_FAILED" });
