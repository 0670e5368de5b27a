import type { JobRecord, JobResult, Outcomes } from "@longhaul/contracts";
import type { ArchiveEntry } from "../archive/archive-entry.ts";
import { ArchiveError } from "../archive/archive-error.ts";
import type { ArchiveProgress, EntryReader } from "../archive/ports.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { ResultStore } from "../job/ports.ts";
import type { Completion, Work, WorkContext } from "../job/run.ts";
import type { Source } from "../source/source.ts";
import type { SourceOf } from "../source/sources.ts";
import { type ArchiveJob, type ArchiveMeans, begunAnew, type Made } from "./archive-job.ts";
import { layoutOf } from "./archive-layout.ts";
import { progressReader } from "./archive-progress.ts";
import { type FileTries, readWithTries } from "./file-tries.ts";
import { makeInParts } from "./in-parts.ts";
import { makeInOnePut } from "./one-put.ts";
import { ownedFile } from "./owned-file.ts";
import { exceptionsToKeep, type PlanLimits, type PlannedFiles, planFiles, planToKeep } from "./plan.ts";
import { isRefusal, withoutRefused } from "./refused-files.ts";
import { resultExpiry } from "./result-expiry.ts";
import { UsageMeter } from "./usage-meter.ts";

export type ArchiveWorkOptions = ArchiveMeans & PlanLimits & FileTries & { sourceOf: SourceOf; results: ResultStore };

/** How often a run begins an archive, each time without the files that were refused before. */
const MAX_BEGINNINGS = 3;

/** The job without the files that were refused, to be begun with. */
type Anew = { anew: JobRecord };

/**
 * The work of a job whose result is its own: one ZIP of all files that are there, with a manifest when something is
 * missing, or the one file as it is. It lies under a key that the job's record names before anything is written under it.
 */
export function createArchiveWork(options: ArchiveWorkOptions): Work {
  const make = archiveMaker(options);
  return async (claimed, context) => {
    let record = claimed;
    for (let beginnings = 1; ; beginnings++) {
      const made = await make(record, context, beginnings < MAX_BEGINNINGS);
      if (!("anew" in made)) return made;
      record = made.anew;
    }
  };
}

/** `mayBeginAnew`: where a file of several is refused, the job is written without it and given back; else it fails. */
function archiveMaker(means: ArchiveWorkOptions) {
  const { clock, minPartBytes } = means;
  return async (claimed: JobRecord, context: WorkContext, mayBeginAnew: boolean): Promise<Completion | Anew> => {
    const { signal } = context;
    const meter = new UsageMeter(context.used);
    const lists = means.lists.countedBy(meter);
    const options = { ...means, lists };
    const source = meter.source(options.sourceOf(claimed, context), { isS3: claimed.spec.sourceKind === "s3" });
    const planned = await planFiles(claimed, context, { ...options, source });
    const record = planned.isPlannedAnew ? await begunAnew(claimed, planned, context, options) : claimed;
    const layout = layoutOf(record, planned);
    const progressOf = progressReader(record, planned, clock.monotonic);
    const isSmall = layout.sizeBytes <= minPartBytes;
    let { progress } = record;
    let exceptions: Outcomes["exceptions"] | null = null;
    const job: ArchiveJob = {
      ...options,
      ...{ record, planned, layout, context },
      contentType: ownedFile(record, planned.present).contentType,
      reader: readerOf(planned, source, options),
      results: meter.store(options.results),
      async exceptions(until) {
        exceptions ??= await exceptionsToKeep(record, planned, lists, until);
        return exceptions;
      },
      onProgress(made: ArchiveProgress) {
        progress = progressOf(made);
        context.report(progress);
      },
      onSealing() {
        progress = { ...progress, phase: "sealing" };
        context.report(progress);
      },
    };
    let made: Made;
    try {
      made = await sayingWhichFile(planned, () => (isSmall ? makeInOnePut(job) : makeInParts(job)));
    } catch (error) {
      if (!mayBeginAnew || !isRefusal(error, record)) throw error;
      const soFar = { ...record, progress };
      const left = await withoutRefused(planned, error, soFar, context, { ...options, source });
      return { anew: await begunAnew(soFar, left, context, options) };
    }
    return {
      result: resultOf(record, planned, made, new Date(clock.now())),
      // A run that had only to complete what was sealed has read nothing.
      progress: {
        ...progress,
        filesDone: planned.present.length,
        bytesDone: planned.bytesTotal,
        currentFileId: null,
        phase: "done",
      },
      // What is made in parts has written its plan before them.
      ...(isSmall ? { plan: await planToKeep(record, planned, lists, signal) } : {}),
      outcomes: { doneThrough: record.spec.filesTotal, exceptions: await job.exceptions(signal) },
    };
  };
}

function readerOf({ present }: PlannedFiles, source: Source, tries: FileTries): EntryReader {
  return {
    open(_: ArchiveEntry, index: number, offset: number, signal: AbortSignal) {
      const file = present[index];
      if (!file) throw new Error(`entry ${index} has no file`);
      return readWithTries(file, offset, (...args) => source.open(...args), tries, signal);
    },
  };
}

async function sayingWhichFile<T>({ present }: PlannedFiles, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const fileId = present[error.entry]?.fileId ?? null;
    throw new JobFailure({ stage: "read-source", code: error.code, fileId }, { cause: error });
  }
}

function resultOf(record: JobRecord, { present, missing }: PlannedFiles, made: Made, now: Date): JobResult {
  return {
    kind: "owned",
    ...ownedFile(record, present),
    ...made,
    partial: missing.length > 0,
    expiresAt: resultExpiry(record.spec, now),
  };
}
