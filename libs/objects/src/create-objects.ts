import { type Settings, type s3Config, type sourceConfig, systemRandom } from "@longhaul/runtime";
import { S3Bucket } from "./bucket.ts";
import { createClient, type StoreAddress } from "./client.ts";
import type { Objects } from "./objects.ts";
import { createPayloads } from "./payloads.ts";

type SourceSettings = Settings<typeof sourceConfig>;

/** The settings of the result bucket, and those of the source bucket that differ from them. */
export type ObjectsConfig = Settings<typeof s3Config> & Partial<SourceSettings>;

/** Opens the buckets of results and of sources. Nothing is sent before the first call. */
export function createObjects(config: ObjectsConfig): Objects {
  const results = resultAddress(config);
  const source = sourceAddress(config, results);
  const resultClient = createClient(results, config);
  // Two clients even for one store: reads that wait for room in a buffer must not hold the sockets that uploads need.
  const sourceClient = createClient(source, config);
  const bucket = new S3Bucket(resultClient, config.s3Bucket, config);
  return {
    results: bucket,
    source: new S3Bucket(sourceClient, config.sourceS3Bucket ?? config.s3Bucket, config),
    payloads: createPayloads(bucket, { ...config, random: systemRandom }),
    close() {
      resultClient.close();
      sourceClient.close();
    },
  };
}

function resultAddress(config: ObjectsConfig): StoreAddress {
  return {
    endpoint: config.s3Endpoint,
    publicEndpoint: config.s3PublicEndpoint ?? config.s3Endpoint,
    region: config.s3Region,
    forcePathStyle: config.s3ForcePathStyle ?? config.s3Endpoint !== undefined,
    accessKeyId: config.s3AccessKeyId,
    secretAccessKey: config.s3SecretAccessKey,
  };
}

function sourceAddress(config: ObjectsConfig, results: StoreAddress): StoreAddress {
  const endpoint = config.sourceS3Endpoint ?? results.endpoint;
  return {
    endpoint,
    // The public host belongs to the endpoint of the results; another endpoint is public by its own name.
    publicEndpoint: endpoint === results.endpoint ? results.publicEndpoint : endpoint,
    region: config.sourceS3Region ?? results.region,
    forcePathStyle: endpoint === results.endpoint ? results.forcePathStyle : true,
    accessKeyId: config.sourceS3AccessKeyId ?? results.accessKeyId,
    secretAccessKey: config.sourceS3SecretAccessKey ?? results.secretAccessKey,
  };
}
