import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { seededChunks } from "@longhaul/runtime";

/** The content of the sample file `fileId`, as a stream. */
export function seededStream(fileId: number, sizeBytes: number): Readable {
  return Readable.from(seededChunks(fileId, sizeBytes), { objectMode: false });
}

/** SHA-256 of the sample file, in hex. */
export function seededSha256(fileId: number, sizeBytes: number): string {
  const hash = createHash("sha256");
  for (const chunk of seededChunks(fileId, sizeBytes)) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}
