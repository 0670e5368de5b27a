import type { Bucket } from "@longhaul/objects";
import type { ListedPart, ResultStore } from "./job/ports.ts";

/** A bucket as the worker sees it. */
export function createResultStore(bucket: Bucket): ResultStore {
  return {
    async put(key, bytes, { contentType, crc32, signal }) {
      await bucket.put(key, bytes, { sizeBytes: bytes.length, contentType, crc32, signal });
    },
    createUpload: (key, options) => bucket.uploads.create(key, options),
    uploadPart: (upload, part, signal) => bucket.uploads.sendPart(upload, part, signal),
    copyPart: (upload, number, from, signal) => bucket.uploads.copyPart(upload, number, from, signal),
    async listParts(upload, options) {
      const parts: ListedPart[] = [];
      for await (const part of bucket.uploads.listParts(upload, options)) parts.push(part);
      return parts;
    },
    completeUpload: (upload, parts, options) => bucket.uploads.complete(upload, parts, options),
    head: (key, options) => bucket.head(key, options),
  };
}
