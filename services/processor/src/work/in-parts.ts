import { ObjectsError } from "@longhaul/objects";
import { partSizeFor } from "../archive/part-size.ts";
import { partBytes } from "../archive/parts.ts";
import { type ArchiveJob, type Made, nameKey, nothingUploaded, withBuffers } from "./archive-job.ts";
import { believedParts } from "./believed-parts.ts";
import { planToKeep } from "./plan.ts";
import { finishSealed } from "./seal.ts";
import { completeParts, sendParts } from "./send-parts.ts";
import { storing } from "./storing.ts";
import { UploadLog } from "./upload-log.ts";
import { verifiableParts } from "./verifiable-parts.ts";

/**
 * An archive as a multipart upload that later runs go on with. The record names the plan and the upload before the first
 * part is sent, then now and then the parts that stand, and holds the seal, exactly what Complete will send, before
 * Complete is called: whoever loses one of these writes goes no further.
 */
export async function makeInParts(job: ArchiveJob): Promise<Made> {
  const { checkpoint } = job.record;
  if (checkpoint?.sealed) {
    job.onSealing();
    const made = await finishSealed(checkpoint, job);
    if (made !== null) return made;
  }
  await savePlan(job);
  const partSize = partSizeOf(job);
  const sent = await withBuffers(job, partSize, async (buffers) => {
    const log = (await resumed(job)) ?? (await begun(job, partSize));
    return { log, whole: await sendParts(log, buffers, job) };
  });
  return await completeParts(sent.log, sent.whole, job);
}

/** The plan, written unless an earlier run has done so. */
async function savePlan({ record, planned, lists, context }: ArchiveJob): Promise<void> {
  if (record.plan === null)
    await context.checkpoint({ plan: await planToKeep(record, planned, lists, context.signal) });
}

/** An upload keeps the part size that it began with, whatever a later version would choose. */
function partSizeOf({ record, layout, minPartBytes }: ArchiveJob): number {
  const upload = record.checkpoint?.upload;
  return upload && upload.id !== null ? upload.partSize : partSizeFor(layout.sizeBytes, minPartBytes);
}

/** The upload of an earlier run with the parts of it that can be believed; null when there is none, or none any more. */
async function resumed({ record, planned, layout, results, lists, context }: ArchiveJob): Promise<UploadLog | null> {
  const { checkpoint } = record;
  if (checkpoint === null || checkpoint.upload.id === null || checkpoint.sealed !== null) return null;
  const { signal } = context;
  const { key, id, partSize } = { ...checkpoint.upload, id: checkpoint.upload.id };
  const named = await lists.find("parts", checkpoint.parts, signal);
  if (named === null) return null;
  const listed = await storing(() => results.listParts({ key, id }, { signal }).catch(nullIfGone));
  if (listed === null) return null;
  const believed = believedParts(named, listed, (number) => partBytes(layout, number, partSize));
  // Not the upload that it was. A part that comes in just after an upload was removed makes it anew at some stores
  // (versitygw 1.7.0), but without its settings, so that it takes all parts and is then never completed.
  if (believed.length === 0 && named.length > 0) return null;
  const usable = verifiableParts(believed, layout, partSize, planned.present);
  return new UploadLog(layout, { key, id, partSize }, usable);
}

function nullIfGone(error: unknown): null {
  if (error instanceof ObjectsError && error.code === "NOT_FOUND") return null;
  throw error;
}

/** A new upload, under a key that the record named before. */
async function begun(job: ArchiveJob, partSize: number): Promise<UploadLog> {
  const { layout, results, contentType, context } = job;
  const key = await nameKey(job);
  const id = await storing(() => results.createUpload(key, { contentType, signal: context.signal }));
  await context.checkpoint({ checkpoint: nothingUploaded({ key, id, partSize }) });
  return new UploadLog(layout, { key, id, partSize }, []);
}
