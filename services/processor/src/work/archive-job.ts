import type { JobRecord, Outcomes } from "@longhaul/contracts";
import { resultKey, userHash } from "@longhaul/job";
import type { Clock, Random } from "@longhaul/runtime";
import type { Layout } from "../archive/layout.ts";
import type { PartBuffers } from "../archive/part-buffers.ts";
import { buffersFor } from "../archive/part-size.ts";
import type { ArchiveProgress, EntryReader } from "../archive/ports.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { ResultStore } from "../job/ports.ts";
import type { WorkContext } from "../job/run.ts";
import type { CheckpointLimits } from "./checkpoint-timer.ts";
import { type PlannedFiles, planToKeep } from "./plan.ts";
import type { RecordLists } from "./record-lists.ts";
import type { ZeroCopy } from "./zero-copy.ts";

/** What archives are made with. */
export type ArchiveMeans = CheckpointLimits & {
  lists: RecordLists;
  clock: Clock;
  random: Random;
  uploadConcurrency: number;
  partBuffers: PartBuffers;
  zeroCopy: ZeroCopy;
  /** An archive up to this size is put in one request; above it, no part but the last is smaller. */
  minPartBytes: number;
};

/** One run's making of one archive. */
export type ArchiveJob = ArchiveMeans & {
  /** As it was claimed. */
  record: JobRecord;
  planned: PlannedFiles;
  layout: Layout;
  contentType: string;
  reader: EntryReader;
  results: ResultStore;
  context: WorkContext;
  /** The files that are not there, as the record is to have them. */
  exceptions(signal: AbortSignal): Promise<Outcomes["exceptions"]>;
  onProgress(progress: ArchiveProgress): void;
  /** Told when every part is stored, and the store is to join them. */
  onSealing(): void;
};

/** An archive that is in the store. */
export type Made = { key: string; sizeBytes: number; crc32: string };

/**
 * Makes with the memory that the archive is written in: part buffers, all that it will ever hold, waited for in one step.
 * @throws JobFailure `FILE_TOO_LARGE` when the class's share is too small for it
 */
export async function withBuffers<T>(
  { record, layout, partBuffers, uploadConcurrency, context }: ArchiveJob,
  partSize: number,
  make: (buffers: number) => Promise<T>,
): Promise<T> {
  const jobClass = record.spec.class;
  const bufferBytes = Math.max(1, Math.min(layout.sizeBytes, partSize));
  const buffers = buffersFor(layout, bufferBytes, uploadConcurrency, partBuffers.shareOf(jobClass));
  if (buffers === 0) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
  const bytes = Math.min(buffers * bufferBytes, layout.sizeBytes);
  const request = { jobClass, owner: userHash(record.tenant, record.user), bytes };
  const { release } = await context.waiting(partBuffers.reserve(request, context.signal));
  try {
    return await make(buffers);
  } finally {
    release();
  }
}

/** The key that the claim named, unless an upload was begun under it: then a fresh one, named first. */
export async function nameKey({ record, context, random }: ArchiveJob): Promise<string> {
  const upload = record.checkpoint?.upload;
  if (upload && upload.id === null) return upload.key;
  const key = resultKey(record, random.token());
  await context.checkpoint({ checkpoint: nothingUploaded({ key, id: null, partSize: 0 }) });
  return key;
}

/**
 * The record when its plan is another: the one before was lost, or has a file in it that is refused. What was made by that
 * one is of another archive: one write names the new plan and a fresh key, and forgets all that.
 */
export async function begunAnew(
  record: JobRecord,
  planned: PlannedFiles,
  { checkpoint: write, signal }: WorkContext,
  { lists, random }: Pick<ArchiveMeans, "lists" | "random">,
): Promise<JobRecord> {
  const plan = await planToKeep({ ...record, plan: null }, planned, lists, signal);
  const checkpoint = nothingUploaded({ key: resultKey(record, random.token()), id: null, partSize: 0 });
  const state = { checkpoint, outcomes: null, plan };
  await write(state);
  return { ...record, ...state };
}

/** The checkpoint of an upload without a part. */
export const nothingUploaded = (upload: { key: string; id: string | null; partSize: number }) => ({
  upload,
  parts: [],
  cursor: { entry: 0, offset: 0, crc: "00000000" },
  sealed: null,
});
