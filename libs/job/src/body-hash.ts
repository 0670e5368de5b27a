import { createHash } from "node:crypto";
import type { JobSpec } from "@longhaul/contracts";

/** What a client asks for: of a specification, all but what the service adds (lane, limits, where a long list lies). */
export type Asked = Pick<JobSpec, "class" | "archive" | "name" | "metadata" | "callbackUrl" | "expiresInSeconds"> & {
  fileIds: readonly number[] | null;
};

/**
 * SHA-256 (base64url) of what was asked for, validated and with its defaults: tells a repeated request from another one
 * with the same key. To be taken before a long list of ids is moved to object storage. The order of metadata keys does
 * not matter, that of files does.
 */
export function bodyHash(asked: Asked): string {
  const { fileIds, class: jobClass, archive, name, metadata, callbackUrl, expiresInSeconds } = asked;
  const keys = Object.keys(metadata).sort();
  const parts = [
    fileIds,
    jobClass,
    archive,
    name,
    keys.map((key) => [key, metadata[key]]),
    callbackUrl,
    expiresInSeconds,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
