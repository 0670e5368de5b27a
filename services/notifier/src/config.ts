import {
  attemptsConfig,
  expiryConfig,
  mongodbConfig,
  natsConfig,
  projectorConfig,
  retentionConfig,
  serviceConfig,
  sourceConfig,
} from "@longhaul/runtime";
import { z } from "zod";

const { mongodbUrl, mongodbViewsDatabase, mongodbRecordsDatabase, mongodbTimeoutMs, mongodbMaxPoolSize } =
  mongodbConfig;
const { maxAttempts } = attemptsConfig;
const {
  jobDeadlineSeconds,
  retryWindowFailedSeconds,
  retryWindowCancelledSeconds,
  jobRetentionSeconds,
  tombstoneSeconds,
} = retentionConfig;
const { sourceKind, sourceKeyTemplate, httpSourceTemplate } = sourceConfig;

/** Every environment variable that a notifier reads. */
export const notifierConfig = z.object({
  ...serviceConfig({ shutdownGraceMs: 10_000 }),
  ...natsConfig,
  mongodbUrl,
  mongodbViewsDatabase,
  mongodbRecordsDatabase,
  mongodbTimeoutMs,
  mongodbMaxPoolSize,
  ...projectorConfig,
  ...expiryConfig,
  jobDeadlineSeconds,
  retryWindowFailedSeconds,
  retryWindowCancelledSeconds,
  jobRetentionSeconds,
  tombstoneSeconds,
  sourceKind,
  sourceKeyTemplate,
  httpSourceTemplate,
  maxAttempts,
});
export type NotifierConfig = z.infer<typeof notifierConfig>;
