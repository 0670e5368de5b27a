import { createObjects, type Objects, type ObjectsConfig } from "@longhaul/objects";
import type { S3Access } from "../../deploy/local/src/stack/environment.ts";

/** What an S3 server is reached by, with the settings of a test. */
export function objectsConfig(s3: S3Access): ObjectsConfig {
  return {
    s3Endpoint: s3.endpoint,
    s3Region: s3.region,
    s3Bucket: s3.bucket,
    s3AccessKeyId: s3.accessKeyId,
    s3SecretAccessKey: s3.secretAccessKey,
    s3Sse: "none",
    s3CallTimeoutMs: 10_000,
  };
}

/** The buckets of an S3 server, without a breaker. */
export const openObjects = (s3: S3Access): Objects => createObjects(objectsConfig(s3));
