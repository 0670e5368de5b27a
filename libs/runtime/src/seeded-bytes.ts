import { createCipheriv, createHash } from "node:crypto";

const CHUNK_BYTES = 256 * 1024;
const BLOCK_BYTES = 16;
/** What the key stream is read with; one piece of memory for all files, however many are read at a time. */
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** `seed`: another one makes other files. `offset`: the first byte that is asked for. `chunkBytes`: of all but the last. */
export type SeededOptions = { seed?: number; offset?: number; chunkBytes?: number };

/**
 * The content of the made-up file `fileId`: the same bytes for the same id and seed, everywhere, without keeping them. A
 * shorter file is the begin of a longer one. They are the key stream of AES-256 in counter mode, keyed by seed and id:
 * quick to make from any offset, and nothing compresses them.
 */
export function* seededChunks(
  fileId: number,
  sizeBytes: number,
  { seed = 1, offset = 0, chunkBytes = CHUNK_BYTES }: SeededOptions = {},
): Generator<Buffer> {
  const key = createHash("sha256").update(`longhaul file ${seed} ${fileId}`).digest();
  // The counter is the number of the block, so a stream can begin at any.
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / BLOCK_BYTES)), BLOCK_BYTES / 2);
  const stream = createCipheriv("aes-256-ctr", key, counter);
  stream.update(Buffer.alloc(offset % BLOCK_BYTES));
  const zeros = chunkBytes <= CHUNK_BYTES ? ZEROS.subarray(0, chunkBytes) : Buffer.alloc(chunkBytes);
  for (let left = sizeBytes - offset; left > 0; left -= chunkBytes) {
    yield stream.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
  }
}
