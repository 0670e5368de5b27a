import {
  Breaker,
  type BreakerSettings,
  type Settings,
  type s3Config,
  type sourceConfig,
  systemRandom,
} from "@longhaul/runtime";
import { S3Bucket } from "./bucket.ts";
import { createClient, type StoreAddress } from "./client.ts";
import { GuardedBucket, judgeStore } from "./guarded-bucket.ts";
import type { Bucket, Objects } from "./objects.ts";
import { createPayloads } from "./payloads.ts";

type SourceSettings = Settings<typeof sourceConfig>;

/** The settings of the result bucket, and those of the source bucket that differ from them. */
export type ObjectsConfig = Settings<typeof s3Config> & Partial<SourceSettings>;

/**
 * Opens the buckets of results and of sources. Nothing is sent before the first call.
 * @param breaker with it, every endpoint has a breaker, and calls fail with `BREAKER_OPEN` while that is open
 */
export function createObjects(config: ObjectsConfig, breaker?: BreakerSettings): Objects {
  const results = resultAddress(config);
  const source = sourceAddress(config, results);
  const resultClient = createClient(results, config);
  // Two clients even for one store: reads that wait for room in a buffer must not hold the sockets that uploads need.
  const sourceClient = createClient(source, config);
  const buckets = {
    results: new S3Bucket(resultClient, config.s3Bucket, config),
    source: new S3Bucket(sourceClient, config.sourceS3Bucket ?? config.s3Bucket, config),
  };
  const isOneStore = source.endpoint === results.endpoint && source.region === results.region;
  const guards = breaker ? guardsOf(buckets, isOneStore, breaker) : null;
  const opened = guards ?? buckets;
  return {
    ...opened,
    isOneStore,
    payloads: createPayloads(opened.results, { ...config, random: systemRandom }),
    close() {
      for (const bucket of [guards?.results, guards?.source]) bucket?.breaker.close();
      resultClient.close();
      sourceClient.close();
    },
  };
}

/** Results and sources at one endpoint have one breaker: what one of them learns is true for the other. */
function guardsOf(
  { results, source }: Record<"results" | "source", Bucket>,
  isOneStore: boolean,
  settings: BreakerSettings,
) {
  const breakerOf = (name: string, bucket: Bucket) =>
    new Breaker({ name, settings, judge: judgeStore, probe: () => bucket.ping() });
  const ofResults = breakerOf("s3", results);
  const ofSource = isOneStore ? ofResults : breakerOf("source_s3", source);
  return { results: new GuardedBucket(results, ofResults), source: new GuardedBucket(source, ofSource) };
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
