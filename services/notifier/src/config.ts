import {
  mongodbConfig,
  natsConfig,
  projectorConfig,
  retentionConfig,
  serviceConfig,
  sourceConfig,
} from "@longhaul/runtime";
import { z } from "zod";

const { mongodbUrl, mongodbViewsDatabase, mongodbTimeoutMs, mongodbMaxPoolSize } = mongodbConfig;
const { tombstoneSeconds } = retentionConfig;
const { sourceKeyTemplate } = sourceConfig;

/** Every environment variable that a notifier reads. */
export const notifierConfig = z.object({
  ...serviceConfig({ shutdownGraceMs: 10_000 }),
  ...natsConfig,
  mongodbUrl,
  mongodbViewsDatabase,
  mongodbTimeoutMs,
  mongodbMaxPoolSize,
  ...projectorConfig,
  tombstoneSeconds,
  sourceKeyTemplate,
});
export type NotifierConfig = z.infer<typeof notifierConfig>;
