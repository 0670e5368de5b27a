import type { UploadedPart } from "@longhaul/contracts";
import { ObjectsError } from "@longhaul/objects";
import type { Layout } from "../archive/layout.ts";
import { partSizeFor } from "../archive/part-size.ts";
import type { ArchiveProgress, EntryReader } from "../archive/ports.ts";
import { archiveBytes, writeArchive } from "../archive/stream.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { ResultStore, SentPart } from "../job/ports.ts";
import type { WorkContext } from "../job/run.ts";
import type { StoredList } from "./record-lists.ts";

export type ArchiveTarget = {
  key: string;
  contentType: string;
  results: ResultStore;
  reader: EntryReader;
  uploadConcurrency: number;
  buffers: number;
  minPartBytes: number;
  /** What the record is to say of the parts. */
  keepParts(parts: UploadedPart[]): Promise<StoredList<"parts">>;
};

export type ArchiveContext = WorkContext & { onProgress: (progress: ArchiveProgress) => void };

/** An archive that is in the store. `writes`: calls that wrote or checked it. */
export type Made = { sizeBytes: number; crc32: string; progress: ArchiveProgress; writes: number };

/** A small archive: made in memory, put in one request under a key that no other run has used. */
export async function makeInOnePut(plan: Layout, target: ArchiveTarget, context: ArchiveContext): Promise<Made> {
  const { key, contentType, results, reader } = target;
  const { signal } = context;
  const { last, onProgress } = remembering(context.onProgress);
  const { bytes, sizeBytes, crc32 } = await archiveBytes(plan, { reader, signal, onProgress });
  await storing(() => results.put(key, bytes, { contentType, crc32, signal }));
  return { sizeBytes, crc32, progress: last(), writes: 1 };
}

/**
 * An archive as a multipart upload. The record names the upload before its first part is sent, and holds the seal,
 * exactly what Complete will send, before Complete is called: whoever loses one of these writes goes no further.
 */
export async function makeInParts(plan: Layout, target: ArchiveTarget, context: ArchiveContext): Promise<Made> {
  const { key, contentType, results, reader, uploadConcurrency: concurrency, buffers } = target;
  const { signal, checkpoint } = context;
  const partSize = partSizeFor(plan.sizeBytes, target.minPartBytes);
  const id = await storing(() => results.createUpload(key, { contentType, signal }));
  const upload = { key, id, partSize };
  await checkpoint({ upload, sealed: null });

  const { last, onProgress } = remembering(context.onProgress);
  const sent: SentPart[] = [];
  const sink = {
    async upload(part: { number: number; bytes: Uint8Array; crc32: string }, stopped: AbortSignal) {
      const etag = await storing(() => results.uploadPart({ key, id }, part, stopped));
      sent.push({ number: part.number, etag, crc32: part.crc32 });
    },
  };
  const options = { reader, sink, partSize, concurrency, buffers, signal, onProgress };
  const { sizeBytes, crc32 } = await writeArchive(plan, options);

  const parts = sent.sort((a, b) => a.number - b.number);
  const kept = await target.keepParts(parts.map((part) => [part.number, part.etag, part.crc32]));
  await checkpoint({ upload, sealed: { sizeBytes, crc32, parts: kept } });
  await complete(target, { key, id }, parts, { sizeBytes, crc32 }, signal);
  return { sizeBytes, crc32, progress: last(), writes: parts.length + 3 };
}

/**
 * Completes the upload and looks at what came of it: a store may answer well without having the object, and an answer
 * that was lost makes the next call say that there is no such upload.
 */
async function complete(
  { results }: ArchiveTarget,
  upload: { key: string; id: string },
  parts: SentPart[],
  expected: { sizeBytes: number; crc32: string },
  signal: AbortSignal,
): Promise<void> {
  let refused: unknown;
  try {
    await results.completeUpload(upload, parts, { crc32: expected.crc32, signal });
  } catch (error) {
    refused = error;
  }
  const stored = await storing(() => results.head(upload.key, { signal }));
  if (stored === null) throw new JobFailure({ stage: "write-result", code: "S3_UPLOAD_FAILED" }, { cause: refused });
  const isSame = stored.sizeBytes === expected.sizeBytes && (stored.crc32 ?? expected.crc32) === expected.crc32;
  if (!isSame) throw new JobFailure({ stage: "write-result", code: "CHECKSUM_MISMATCH" }, { cause: refused });
}

/** A call that writes the result; what goes wrong with it is the store's failure. */
async function storing<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ObjectsError) || error.code === "ABORTED") throw error;
    const { retryAfterMs } = error;
    const waitsFor = error.code === "BREAKER_OPEN" ? "storage" : null;
    throw new JobFailure({ stage: "write-result", code: "S3_UPLOAD_FAILED", retryAfterMs, waitsFor }, { cause: error });
  }
}

function remembering(onProgress: (progress: ArchiveProgress) => void) {
  let latest: ArchiveProgress = { entriesDone: 0, bytesDone: 0, bytesRead: 0, bytesUploaded: 0 };
  return {
    last: () => latest,
    onProgress(progress: ArchiveProgress) {
      latest = progress;
      onProgress(progress);
    },
  };
}
