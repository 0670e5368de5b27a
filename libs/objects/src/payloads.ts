import { crc32 } from "node:zlib";
import type { PayloadRef } from "@longhaul/contracts";
import type { Random } from "@longhaul/runtime";
import { call } from "./call.ts";
import type { Bucket, Payloads } from "./objects.ts";
import { ObjectsError } from "./objects-error.ts";
import { decodePayload, encodePayload, PAYLOAD_MAX_BYTES } from "./payload-bytes.ts";
import { transferTimeoutMs } from "./transfer-time.ts";

export function createPayloads(
  bucket: Pick<Bucket, "put" | "open">,
  { random, s3CallTimeoutMs }: { random: Pick<Random, "token">; s3CallTimeoutMs: number },
): Payloads {
  return {
    async put(owner, value, signal) {
      const { ref, bytes } = encodePayload(owner, random.token(), value);
      await bucket.put(ref.key, bytes, {
        sizeBytes: bytes.length,
        contentType: "application/json",
        crc32: crc32(bytes).toString(16).padStart(8, "0"),
        ...(signal ? { signal } : {}),
      });
      return ref;
    },
    async get(ref, signal) {
      const timeoutMs = transferTimeoutMs(Math.min(ref.sizeBytes, PAYLOAD_MAX_BYTES), s3CallTimeoutMs);
      const bytes = await call(`Reading ${ref.key}`, timeoutMs, signal, (stop) => read(bucket, ref, stop));
      return decodePayload(ref, bytes);
    },
  };
}

/** All bytes, but no more than one too many: more than were put are as wrong as fewer. */
async function read(bucket: Pick<Bucket, "open">, { key, sizeBytes }: PayloadRef, signal: AbortSignal) {
  if (sizeBytes > PAYLOAD_MAX_BYTES) {
    throw new ObjectsError(`${key} is said to have ${sizeBytes} bytes, more than any payload.`, { code: "DAMAGED" });
  }
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of bucket.open(key, { offset: 0, etag: null, signal })) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > sizeBytes) break;
  }
  return Buffer.concat(pieces, bytes);
}
