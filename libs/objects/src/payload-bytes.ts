import { createHash } from "node:crypto";
import type { PayloadRef } from "@longhaul/contracts";
import { payloadKey } from "@longhaul/job";
import { ObjectsError } from "./objects-error.ts";

/** Longest payload, bytes: 100,000 files with 600 bytes for each. A bound on what a reader has to hold. */
export const PAYLOAD_MAX_BYTES = 64 * 1024 ** 2;

/** Whose payload it is. */
export type PayloadOwner = { tenant: string; id: string };

/**
 * A value as it lies in object storage, and what a record says of it.
 * @param token random and never used before: a key that was used once is never used again
 * @throws ObjectsError `REJECTED` when it is larger than `PAYLOAD_MAX_BYTES`
 */
export function encodePayload(
  owner: PayloadOwner,
  token: string,
  value: unknown,
): { ref: PayloadRef; bytes: Uint8Array } {
  const bytes = Buffer.from(JSON.stringify(value));
  const key = payloadKey(owner, token);
  if (bytes.length > PAYLOAD_MAX_BYTES) {
    throw new ObjectsError(`A payload of ${bytes.length} bytes is larger than ${PAYLOAD_MAX_BYTES}.`, {
      code: "REJECTED",
    });
  }
  return { ref: { key, sha256: sha256(bytes), sizeBytes: bytes.length }, bytes };
}

/**
 * The value that was put under this reference.
 * @throws ObjectsError `DAMAGED` when these are not the bytes that were put
 */
export function decodePayload({ key, sha256: expected, sizeBytes }: PayloadRef, bytes: Uint8Array): unknown {
  if (bytes.length !== sizeBytes || sha256(bytes) !== expected) {
    throw new ObjectsError(`${key} holds ${bytes.length} bytes that are not the ${sizeBytes} that were put there.`, {
      code: "DAMAGED",
    });
  }
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
