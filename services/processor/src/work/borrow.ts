import type { JobRecord, Progress } from "@longhaul/contracts";
import { JobFailure } from "../job/job-failure.ts";
import type { Completion, Work } from "../job/run.ts";
import type { ObjectSource, SourceFile } from "../source/source.ts";
import type { SourceOf } from "../source/sources.ts";
import { type FileTries, withFileTries } from "./file-tries.ts";
import { planEntry } from "./plan.ts";
import { resultExpiry } from "./result-expiry.ts";

/**
 * The work of a job of one stored file: its result is the source object itself, borrowed, so no byte is moved. The file
 * is looked up, so that the job ends with the size and the checksum that its reader will see.
 */
export function createBorrow(sourceOf: SourceOf<ObjectSource>, options: FileTries & { fileMaxBytes: number }): Work {
  return async (record, context) => {
    const { signal, report, used } = context;
    const fileId = onlyFile(record);
    report({ ...record.progress, currentFileId: fileId, phase: "planning" });
    const source = sourceOf(record, context);
    const find = () => {
      used({ s3Calls: 1 });
      return source.find(fileId, signal);
    };
    const file = await withFileTries(find, options, signal);
    const maxBytes = Math.min(options.fileMaxBytes, record.spec.maxFileBytes ?? options.fileMaxBytes);
    if (file.sizeBytes > maxBytes) throw new JobFailure({ stage: "plan", code: "FILE_TOO_LARGE", fileId });
    return completion(record, file, new Date(options.clock.now()));
  };
}

function onlyFile(record: JobRecord): number {
  const [fileId, ...more] = record.spec.fileIds ?? [];
  if (fileId === undefined || more.length > 0) {
    throw new JobFailure({ stage: "plan", code: "INTERNAL" }, { cause: "only jobs of one file can be borrowed" });
  }
  return fileId;
}

function completion({ spec, progress }: JobRecord, file: SourceFile, now: Date): Completion {
  const done: Progress = {
    ...progress,
    filesDone: 1,
    bytesTotal: file.sizeBytes,
    bytesDone: file.sizeBytes,
    currentFileId: null,
    phase: "done",
  };
  return {
    result: {
      kind: "borrowed",
      key: file.key,
      filename: spec.name ?? `file-${file.fileId}.zip`,
      sizeBytes: file.sizeBytes,
      contentType: "application/zip",
      crc32: file.crc32,
      partial: false,
      expiresAt: resultExpiry(spec, now),
    },
    plan: { entries: [planEntry(file)], ref: null, filesMissing: 0, bytesTotal: file.sizeBytes },
    outcomes: { doneThrough: 1, exceptions: [] },
    progress: done,
  };
}
