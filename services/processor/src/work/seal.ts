import type { Checkpoint } from "@longhaul/contracts";
import { ObjectsError } from "@longhaul/objects";
import { JobFailure } from "../job/job-failure.ts";
import type { ArchiveJob, Made } from "./archive-job.ts";
import { storing } from "./storing.ts";
import { sentParts } from "./upload-log.ts";

/** Exactly what Complete sends, and what must come of it. */
export type Seal = NonNullable<Checkpoint["sealed"]>;
type SealedJob = Pick<ArchiveJob, "results" | "lists" | "context">;

/**
 * What an earlier run has sealed: there already when it died after Complete, else completed now. Null when its upload is
 * no more, or has other parts by now: there is nothing to go on from.
 */
export async function finishSealed({ upload, sealed }: Checkpoint, job: SealedJob): Promise<Made | null> {
  if (upload.id === null || sealed === null) return null;
  const { key, id } = upload;
  const made = { key, sizeBytes: sealed.sizeBytes, crc32: sealed.crc32 };
  if (await isStored(key, sealed, job)) return made;
  const refused = await complete({ key, id }, sealed, job);
  if (await isStored(key, sealed, job)) return made;
  if (refused instanceof ObjectsError && (refused.code === "NOT_FOUND" || refused.code === "REJECTED")) return null;
  throw notThere(refused);
}

/** Completes what was just sealed, and looks at what came of it. */
export async function completeSealed(upload: { key: string; id: string }, sealed: Seal, job: SealedJob): Promise<void> {
  const refused = await complete(upload, sealed, job);
  if (!(await isStored(upload.key, sealed, job))) throw notThere(refused);
}

/**
 * Gives the error, if there was one, for what the store answers is no proof: it may answer well without having the
 * object, and an answer that was lost makes the next call say that there is no such upload.
 */
async function complete(upload: { key: string; id: string }, { crc32, parts }: Seal, job: SealedJob): Promise<unknown> {
  const { results, lists, context } = job;
  const { signal } = context;
  const sent = sentParts(await lists.read("parts", parts, signal));
  try {
    await results.completeUpload(upload, sent, { crc32, signal });
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

const notThere = (cause: unknown) =>
  new JobFailure({ stage: "write-result", code: "S3_UPLOAD_FAILED" }, cause === null ? {} : { cause });
