import type { JobErrorCode } from "@longhaul/contracts";
import { type Bucket, ObjectsError } from "@longhaul/objects";
import { JobFailure } from "../job/job-failure.ts";
import type { Source } from "./source.ts";

/** Files that are objects of a bucket; `keyTemplate` with `{file_id}` names them. */
export function createS3Source(bucket: Bucket, keyTemplate: string): Source {
  return {
    async find(fileId, signal) {
      const key = keyTemplate.replaceAll("{file_id}", String(fileId));
      const head = await bucket.head(key, { signal }).catch((error: unknown) => {
        throw sourceFailure(error, fileId);
      });
      if (head === null) throw new JobFailure({ stage: "plan", code: "FILE_NOT_FOUND", fileId });
      return { fileId, key, sizeBytes: head.sizeBytes, etag: head.etag, crc32: head.crc32 };
    },
  };
}

function sourceFailure(error: unknown, fileId: number): JobFailure {
  if (!(error instanceof ObjectsError))
    return new JobFailure({ stage: "plan", code: "INTERNAL", fileId }, { cause: error });
  const { retryAfterMs } = error;
  return new JobFailure({ stage: "plan", code: codeOf(error), fileId, retryAfterMs }, { cause: error });
}

function codeOf({ code }: ObjectsError): JobErrorCode {
  switch (code) {
    case "DENIED":
      return "PERMISSION_DENIED";
    case "TIMEOUT":
      return "SOURCE_TIMEOUT";
    case "RATE_LIMITED":
      return "SOURCE_RATE_LIMITED";
    case "NOT_FOUND":
      return "FILE_NOT_FOUND";
    default:
      return "SOURCE_UNAVAILABLE";
  }
}
