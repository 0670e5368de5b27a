import { createObjects, type Objects, type ObjectsConfig } from "@longhaul/objects";
import type { S3Access } from "../../deploy/local/src/stack/environment.ts";

/** The buckets of an S3 server, without a breaker. `more`: settings that differ from the usual ones of a test. */
export function openObjects(s3: S3Access, more: Partial<ObjectsConfig> = {}): Objects {
  return createObjects({
    s3Endpoint: s3.endpoint,
    s3Region: s3.region,
    s3Bucket: s3.bucket,
    s3AccessKeyId: s3.accessKeyId,
    s3SecretAccessKey: s3.secretAccessKey,
    s3Sse: "none",
    s3CallTimeoutMs: 10_000,
    ...more,
  });
}
