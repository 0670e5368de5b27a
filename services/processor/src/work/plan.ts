import type { JobErrorCode, JobRecord, Outcomes, Plan, PlanEntry } from "@longhaul/contracts";
import { JobFailure } from "../job/job-failure.ts";
import type { WorkContext } from "../job/run.ts";
import type { PlannedFile, Source } from "../source/source.ts";
import { type FileTries, withFileTries } from "./file-tries.ts";
import { lookUpEach } from "./look-ups.ts";
import type { RecordLists } from "./record-lists.ts";

/** A file that is not there: its place in the request, and why. */
export type MissingFile = { index: number; fileId: number; code: JobErrorCode };

/** What a job's files turned out to be. */
export type PlannedFiles = {
  /** The files that are there, in request order. */
  present: PlannedFile[];
  missing: MissingFile[];
  bytesTotal: number;
  /** The record names a plan, but that is lost: all files were looked up again, and may be others than they were. */
  isPlannedAnew: boolean;
};

export type PlanLimits = { fileMaxBytes: number; jobMaxBytes: number };
export type PlanDeps = PlanLimits & FileTries & { source: Source; lists: RecordLists };

/** A file in its place of the request. */
type Found = PlannedFile | JobErrorCode;

/** A line of a plan for a file that is there. */
type FileEntry = Exclude<PlanEntry, string>;

/** A file of a plan in a third of the memory that a date in it would take: there may be 100,000 of them. */
class SmallFile implements PlannedFile {
  readonly fileId: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly etag: string | null;
  readonly crc32: string | null;
  readonly #modifiedAtMs: number;

  constructor(fileId: number, [name, sizeBytes, etag, crc32, modifiedAtMs]: FileEntry) {
    this.fileId = fileId;
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.etag = etag;
    this.crc32 = crc32;
    this.#modifiedAtMs = modifiedAtMs;
  }

  get modifiedAt(): Date {
    return new Date(this.#modifiedAtMs);
  }
}

const OUTCOMES: ReadonlySet<JobErrorCode> = new Set([
  "FILE_NOT_FOUND",
  "INVALID_FILE_ID",
  "PERMISSION_DENIED",
  "FILE_TOO_LARGE",
]);

/** Whether an error is an outcome of one file; any other fails the try. */
export const isOutcome = (error: unknown): error is JobFailure =>
  error instanceof JobFailure && OUTCOMES.has(error.code);

/**
 * What the files of the job are: as its plan says, or, when it has none (any more), by looking every one of them up. A
 * file that is missing, refused or too large becomes an outcome.
 * @throws JobFailure when nothing is there: ALL_FILES_FAILED, or what became of the only file; FILE_TOO_LARGE when all
 *   files together are too much
 */
export async function planFiles(record: JobRecord, context: PlanContext, deps: PlanDeps): Promise<PlannedFiles> {
  const { spec, plan } = record;
  const fileIds = await deps.lists.read("fileIds", spec.ref ? { ref: spec.ref } : (spec.fileIds ?? []), context.signal);
  const known = plan === null ? null : await filesOf(plan, fileIds, context, deps);
  const found = known ?? (await lookUp(record, fileIds, context, deps));
  const present: PlannedFile[] = [];
  const missing: MissingFile[] = [];
  let bytesTotal = 0;
  for (const [index, file] of found.entries()) {
    if (typeof file === "string") missing.push({ index, fileId: fileIds[index] ?? 0, code: file });
    else {
      present.push(file);
      bytesTotal += file.sizeBytes;
    }
  }
  if (present.length === 0) throw await nothingThere(record, missing, deps.lists, context.signal);
  if (bytesTotal > deps.jobMaxBytes) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE" });
  return { present, missing, bytesTotal, isPlannedAnew: plan !== null && known === null };
}

/** Why a job fails whose files are all missing. */
export async function nothingThere(
  record: JobRecord,
  missing: MissingFile[],
  lists: RecordLists,
  signal: AbortSignal,
): Promise<JobFailure> {
  const [only, ...more] = missing;
  if (only !== undefined && more.length === 0) {
    return new JobFailure({ stage: "plan", code: only.code, fileId: only.fileId });
  }
  const fileErrors = await lists.keep("exceptions", exceptionsOf(missing), record, signal);
  return new JobFailure({ stage: "plan", code: "ALL_FILES_FAILED", fileErrors });
}

const exceptionsOf = (missing: readonly MissingFile[]) =>
  missing.map(({ index, code }): [number, JobErrorCode] => [index, code]);

/** The plan as the record is to have it, to be asked for just before it is written: the one that it has, or a new one. */
export async function planToKeep(
  record: JobRecord,
  planned: PlannedFiles,
  lists: RecordLists,
  signal: AbortSignal,
): Promise<Plan> {
  if (record.plan !== null) return record.plan;
  const entries = inRequestOrder(planned).map((file) => ("code" in file ? file.code : planEntry(file)));
  const kept = await lists.keep("plan", entries, record, signal);
  const counts = { filesMissing: planned.missing.length, bytesTotal: planned.bytesTotal };
  return "ref" in kept ? { entries: null, ref: kept.ref, ...counts } : { entries: kept, ref: null, ...counts };
}

/** All files in request order, in one pass: there may be 100,000, and many of them missing. */
export function inRequestOrder({ present, missing }: PlannedFiles): (PlannedFile | MissingFile)[] {
  const files: (PlannedFile | MissingFile)[] = [];
  let next = 0;
  const addMissing = () => {
    for (let it = missing[next]; it?.index === files.length; it = missing[++next]) files.push(it);
  };
  for (const file of present) {
    addMissing();
    files.push(file);
  }
  addMissing();
  return files;
}

/** What became of the files, when all that are there are done. */
export async function outcomesToKeep(
  record: JobRecord,
  planned: PlannedFiles,
  lists: RecordLists,
  signal: AbortSignal,
): Promise<Outcomes> {
  const exceptions = await exceptionsToKeep(record, planned, lists, signal);
  return { doneThrough: record.spec.filesTotal, exceptions };
}

/** The files that are not there, as the record is to have them: as it has them, or new. */
export async function exceptionsToKeep(
  record: JobRecord,
  { missing }: PlannedFiles,
  lists: RecordLists,
  signal: AbortSignal,
): Promise<Outcomes["exceptions"]> {
  if (record.outcomes !== null) return record.outcomes.exceptions;
  return await lists.keep("exceptions", exceptionsOf(missing), record, signal);
}

/** How many files of the request are done, missing ones included, when so many that are there are. */
export function doneThrough({ spec }: JobRecord, { present, missing }: PlannedFiles, presentDone: number): number {
  if (presentDone >= present.length) return spec.filesTotal;
  let index = presentDone;
  for (const it of missing) if (it.index <= index) index += 1;
  return index;
}

/** A file as a plan has it. */
export function planEntry({ name, sizeBytes, etag, crc32, modifiedAt }: PlannedFile): FileEntry {
  return [name, sizeBytes, etag, crc32, modifiedAt.getTime()];
}

export type PlanContext = Pick<WorkContext, "signal" | "report">;

/** Null when the plan is lost. */
async function filesOf(
  { entries, ref }: Plan,
  fileIds: readonly number[],
  { signal }: PlanContext,
  { lists }: PlanDeps,
): Promise<Found[] | null> {
  const list = await lists.find("plan", ref ? { ref } : (entries ?? []), signal);
  if (list === null) return null;
  if (list.length !== fileIds.length) throw new Error(`a plan has ${list.length} entries for ${fileIds.length} files`);
  return list.map((entry, i) => (typeof entry === "string" ? entry : new SmallFile(fileIds[i] ?? 0, entry)));
}

async function lookUp(
  record: JobRecord,
  fileIds: readonly number[],
  { signal, report }: PlanContext,
  deps: PlanDeps,
): Promise<Found[]> {
  const maxBytes = Math.min(deps.fileMaxBytes, record.spec.maxFileBytes ?? deps.fileMaxBytes);
  const found: Found[] = [];
  let missing = 0;
  await lookUpEach(fileIds.entries(), signal, async ([index, fileId], either) => {
    report({ ...record.progress, filesFailed: missing, currentFileId: fileId, phase: "planning" });
    const file = await outcomeOf(fileId, maxBytes, deps, either);
    if (typeof file === "string") missing += 1;
    found[index] = file;
  });
  return found;
}

async function outcomeOf(fileId: number, maxBytes: number, deps: PlanDeps, signal: AbortSignal): Promise<Found> {
  try {
    const found = await withFileTries(() => deps.source.find(fileId, signal), deps, signal);
    return found.sizeBytes > maxBytes ? "FILE_TOO_LARGE" : new SmallFile(fileId, planEntry(found));
  } catch (error) {
    if (isOutcome(error)) return error.code;
    throw error;
  }
}
