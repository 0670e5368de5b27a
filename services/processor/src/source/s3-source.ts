import type { JobErrorCode, Stage } from "@longhaul/contracts";
import type { Away } from "@longhaul/job";
import { type Bucket, ObjectsError } from "@longhaul/objects";
import { JobFailure } from "../job/job-failure.ts";
import { inTime, type ReadLimits } from "./read-limits.ts";
import type { ObjectSource } from "./source.ts";

export type S3SourceOptions = ReadLimits & {
  /** With `{file_id}` the key of a file. */
  sourceKeyTemplate: string;
  /** What is away when the bucket's breaker is open: the store of the results may be its store too. */
  store: Away;
};

/** The key of a file's object. */
export const objectKey = (template: string, fileId: number): string => template.replaceAll("{file_id}", String(fileId));

/** Files that are objects of a bucket. */
export function createS3Source(bucket: Bucket, { sourceKeyTemplate, store, ...limits }: S3SourceOptions): ObjectSource {
  const keyOf = (fileId: number) => objectKey(sourceKeyTemplate, fileId);
  const sourceFailure = (error: unknown, stage: Stage, fileId: number): unknown => {
    if (!(error instanceof ObjectsError)) return error;
    const { retryAfterMs } = error;
    const waitsFor = error.code === "BREAKER_OPEN" ? store : null;
    return new JobFailure({ stage, code: codeOf(error, stage), fileId, retryAfterMs, waitsFor }, { cause: error });
  };
  return {
    async find(fileId, signal) {
      const key = keyOf(fileId);
      const head = await bucket.head(key, { signal }).catch((error: unknown) => {
        throw sourceFailure(error, "plan", fileId);
      });
      if (head === null) throw new JobFailure({ stage: "plan", code: "FILE_NOT_FOUND", fileId });
      const { sizeBytes, etag, crc32, lastModified: modifiedAt } = head;
      return { fileId, name: key.slice(key.lastIndexOf("/") + 1), key, sizeBytes, etag, crc32, modifiedAt };
    },
    async *open({ fileId, sizeBytes, etag }, offset, signal) {
      // A range that begins at the end of an object is refused.
      if (offset >= sizeBytes) return;
      const stop = new AbortController();
      const giveUp = (why: unknown) => stop.abort(why);
      const onAbort = () => giveUp(signal.reason);
      signal.throwIfAborted();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        yield* inTime(bucket.open(keyOf(fileId), { offset, etag, signal: stop.signal }), fileId, limits, giveUp);
      } catch (error) {
        throw sourceFailure(signal.aborted ? error : (stop.signal.reason ?? error), "read-source", fileId);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}

function codeOf({ code }: ObjectsError, stage: Stage): JobErrorCode {
  switch (code) {
    case "DENIED":
      return "PERMISSION_DENIED";
    case "TIMEOUT":
      return "SOURCE_TIMEOUT";
    case "RATE_LIMITED":
      return "SOURCE_RATE_LIMITED";
    case "CONFLICT":
      return "SOURCE_CHANGED";
    case "NOT_FOUND":
      // It was there when the job was planned.
      return stage === "read-source" ? "SOURCE_CHANGED" : "FILE_NOT_FOUND";
    default:
      return "SOURCE_UNAVAILABLE";
  }
}
