import {
  archiveConfig,
  attemptsConfig,
  breakerConfig,
  housekeepingConfig,
  jobLimitsConfig,
  mongodbConfig,
  natsConfig,
  retentionConfig,
  s3Config,
  serviceConfig,
  sourceConfig,
  workerConfig,
  zeroCopyConfig,
} from "@longhaul/runtime";
import { z } from "zod";

const { fileMaxBytes, jobMaxBytes } = jobLimitsConfig;
const { mongodbUrl, mongodbViewsDatabase, mongodbTimeoutMs, mongodbMaxPoolSize } = mongodbConfig;
const { retryWindowFailedSeconds, retryWindowCancelledSeconds } = retentionConfig;

/** Every environment variable that a processor reads. */
export const processorConfig = z.object({
  ...serviceConfig({ shutdownGraceMs: 25_000 }),
  ...natsConfig,
  ...s3Config,
  ...sourceConfig,
  ...workerConfig,
  ...attemptsConfig,
  ...breakerConfig,
  ...archiveConfig,
  ...zeroCopyConfig,
  ...housekeepingConfig,
  mongodbUrl,
  mongodbViewsDatabase,
  mongodbTimeoutMs,
  mongodbMaxPoolSize,
  fileMaxBytes,
  jobMaxBytes,
  retryWindowFailedSeconds,
  retryWindowCancelledSeconds,
});
export type ProcessorConfig = z.infer<typeof processorConfig>;
