import type { JobRecord, JobResult, Plan, Progress, UploadedPart, Usage } from "@longhaul/contracts";
import type { Clock, Random } from "@longhaul/runtime";
import type { ArchiveEntry } from "../archive/archive-entry.ts";
import { ArchiveError } from "../archive/archive-error.ts";
import { type Layout, layout, plainLayout } from "../archive/layout.ts";
import { manifestEntry } from "../archive/manifest.ts";
import { entryNames } from "../archive/names.ts";
import type { PartBuffers } from "../archive/part-buffers.ts";
import { ARCHIVE_MAX_BYTES, buffersFor, PART_MIN_BYTES, partSizeFor } from "../archive/part-size.ts";
import type { ArchiveProgress } from "../archive/ports.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { ResultStore } from "../job/ports.ts";
import type { Completion, Work, WorkContext } from "../job/run.ts";
import type { Source } from "../source/source.ts";
import type { SourceOf } from "../source/sources.ts";
import { readWithTries } from "./file-tries.ts";
import { isPlainFile, ownedFile } from "./owned-file.ts";
import { outcomesToKeep, type PlanLimits, type PlannedFiles, planFiles, planToKeep } from "./plan.ts";
import type { RecordLists } from "./record-lists.ts";
import { resultExpiry } from "./result-expiry.ts";
import { type Made, makeInOnePut, makeInParts } from "./store-archive.ts";

export type ArchiveWorkOptions = PlanLimits & {
  sourceOf: SourceOf;
  results: ResultStore;
  lists: RecordLists;
  clock: Clock;
  random: Random;
  fileTries: number;
  retryBaseMs: number;
  uploadConcurrency: number;
  partBuffers: PartBuffers;
  /** An archive up to this size is put in one request; above it, no part but the last is smaller. */
  minPartBytes?: number;
};

type Memory = { buffers: number; release(): void };

/**
 * The work of a job whose result is its own: one ZIP of all files that are there, with a manifest when something is
 * missing, or the one file as it is. A run always begins at the first byte, under a key that the job's record names
 * before anything is written under it.
 */
export function createArchiveWork(options: ArchiveWorkOptions): Work {
  const { clock, lists, minPartBytes = PART_MIN_BYTES } = options;
  return async (record, context) => {
    const { signal } = context;
    const startedAt = clock.monotonic();
    const source = options.sourceOf(record, context);
    const planned = await planFiles(record, context, { ...options, source });
    const plan = layoutOf(record, planned);
    if (plan.sizeBytes > ARCHIVE_MAX_BYTES) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
    const progressOf = progressReader(record, planned, () => clock.monotonic() - startedAt);
    const key = await nameKey(record, context, options.random);
    // What is made in a single request is not worth a write before its end.
    const saved = plan.sizeBytes > minPartBytes ? await savedPlan(record, planned, lists, context) : null;
    const memory = await context.waiting(reserveMemory(plan, record, options, signal));
    const onProgress = (progress: ArchiveProgress) => context.report(progressOf(progress));
    const made = await make(
      record,
      key,
      plan,
      planned,
      memory,
      { ...options, source },
      { ...context, onProgress },
    ).finally(memory.release);
    const progress = { ...progressOf(made.progress), currentFileId: null, phase: "done" as const };
    const keep = {
      plan: saved ?? (await planToKeep(record, planned, lists, signal)),
      outcomes: await outcomesToKeep(record, planned, lists, signal),
    };
    return { ...completion(record, key, planned, made, new Date(clock.now())), ...keep, progress };
  };
}

/** The plan in the record, written now unless an earlier run has done so. */
async function savedPlan(
  record: JobRecord,
  planned: PlannedFiles,
  lists: RecordLists,
  { signal, savePlan }: WorkContext,
): Promise<Plan> {
  if (record.plan !== null) return record.plan;
  const plan = await planToKeep(record, planned, lists, signal);
  await savePlan(plan);
  return plan;
}

function layoutOf(record: JobRecord, planned: PlannedFiles): Layout {
  const entries = entriesOf(planned);
  const [file] = entries;
  return isPlainFile(record) && file !== undefined ? plainLayout(file) : layout(entries);
}

/** The archive's entries: what is there, in request order, and last a manifest when something is not. */
function entriesOf({ present, missing }: PlannedFiles): ArchiveEntry[] {
  const names = entryNames(present.map((file) => file.name));
  const files = present.map(({ fileId, sizeBytes, crc32, modifiedAt }, i) => {
    return { fileId, name: names[i] ?? "", sizeBytes, crc32, modifiedAt: modifiedAt.getTime() };
  });
  return missing.length === 0 ? files : [...files, manifestEntry(files, missing)];
}

/** The key that the claim named, unless an earlier run began an upload under it: then a fresh one, named first. */
async function nameKey(record: JobRecord, context: WorkContext, random: Random): Promise<string> {
  const upload = record.checkpoint?.upload;
  if (upload && upload.id === null) return upload.key;
  const key = `results/${record.tenant}/${record.id}/${random.token()}`;
  await context.checkpoint({ upload: { key, id: null, partSize: 0 }, sealed: null });
  return key;
}

/** Waits for the memory that the archive is written in: part buffers, all that it will ever hold, in one step. */
async function reserveMemory(
  plan: Layout,
  { spec }: JobRecord,
  { partBuffers, uploadConcurrency, minPartBytes = PART_MIN_BYTES }: ArchiveWorkOptions,
  signal: AbortSignal,
): Promise<Memory> {
  const partSize = Math.max(1, Math.min(plan.sizeBytes, partSizeFor(plan.sizeBytes, minPartBytes)));
  const buffers = buffersFor(plan, partSize, uploadConcurrency, partBuffers.shareOf(spec.class));
  if (buffers === 0) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
  const bytes = Math.min(buffers * partSize, plan.sizeBytes);
  const { release } = await partBuffers.reserve(spec.class, bytes, signal);
  return { buffers, release };
}

async function make(
  record: JobRecord,
  key: string,
  plan: Layout,
  { present }: PlannedFiles,
  { buffers }: Memory,
  options: ArchiveWorkOptions & { source: Source },
  context: WorkContext & { onProgress: (progress: ArchiveProgress) => void },
): Promise<Made> {
  const { source, results, lists, uploadConcurrency, minPartBytes = PART_MIN_BYTES } = options;
  const keepParts = (parts: UploadedPart[]) => lists.keep("parts", parts, record, context.signal);
  const reader = {
    open(_: ArchiveEntry, index: number, offset: number, signal: AbortSignal) {
      const file = present[index];
      if (!file) throw new Error(`entry ${index} has no file`);
      return readWithTries(file, offset, (...args) => source.open(...args), options, signal);
    },
  };
  const { contentType } = ownedFile(record, present);
  const target = { key, contentType, results, reader, uploadConcurrency, buffers, minPartBytes, keepParts };
  try {
    return await (plan.sizeBytes <= minPartBytes
      ? makeInOnePut(plan, target, context)
      : makeInParts(plan, target, context));
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const fileId = present[error.entry]?.fileId ?? null;
    throw new JobFailure({ stage: "read-source", code: error.code, fileId }, { cause: error });
  }
}

/**
 * What people are told of an archive that is this far. What was reported before this run stays the least, so that no
 * figure falls while it runs. The mean rate of the run so far gives the time that is left.
 */
function progressReader(record: JobRecord, { present, missing, bytesTotal }: PlannedFiles, elapsedMs: () => number) {
  const before = record.progress;
  return ({ entriesDone, bytesDone, bytesRead }: ArchiveProgress): Progress => {
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

function completion(
  record: JobRecord,
  key: string,
  { present, missing }: PlannedFiles,
  made: Made,
  now: Date,
): Pick<Completion, "result" | "usage"> {
  const { spec, plan } = record;
  const result: JobResult = {
    kind: "owned",
    key,
    ...ownedFile(record, present),
    sizeBytes: made.sizeBytes,
    crc32: made.crc32,
    partial: missing.length > 0,
    expiresAt: resultExpiry(spec, now),
  };
  const lookups = plan === null ? present.length + missing.length : 0;
  const usage: Usage = {
    bytesRead: made.progress.bytesRead,
    bytesWritten: made.sizeBytes,
    s3Calls: lookups + present.length + made.writes,
    copies: 0,
  };
  return { result, usage };
}
