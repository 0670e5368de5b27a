import type { JobRecord } from "@longhaul/contracts";
import type { Completion, Work } from "../job/run.ts";
import { resultExpiry } from "./result-expiry.ts";

/** The work of a job without any: it is done as soon as it is begun. What is left is what every job costs. */
export function createNoOp(now: () => number): Work {
  return async (record) => completion(record, new Date(now()));
}

function completion({ id, spec, progress }: JobRecord, now: Date): Completion {
  return {
    result: {
      kind: "none",
      key: null,
      filename: spec.name ?? `download_${id}.zip`,
      sizeBytes: 0,
      contentType: "application/zip",
      crc32: null,
      partial: false,
      expiresAt: resultExpiry(spec, now),
    },
    outcomes: { doneThrough: spec.filesTotal, exceptions: [] },
    progress: { ...progress, filesDone: spec.filesTotal, bytesTotal: 0, currentFileId: null, phase: "done" },
  };
}
