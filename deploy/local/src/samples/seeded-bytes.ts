import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const CHUNK_BYTES = 256 * 1024;

/**
 * The content of the sample file `fileId`: the same bytes for the same id and size, everywhere, without keeping them.
 * They are the key stream of AES-256 in counter mode, keyed by the id: quick to make, and nothing compresses them.
 */
export function* seededChunks(fileId: number, sizeBytes: number): Generator<Buffer> {
  const key = createHash("sha256").update(`longhaul sample ${fileId}`).digest();
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) {
    yield stream.update(left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros);
  }
}

/** `seededChunks` as a stream. */
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
