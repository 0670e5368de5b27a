import { mongodbConfig, natsConfig, projectorConfig, retentionConfig, serviceConfig } from "@longhaul/runtime";
import { z } from "zod";

const { mongodbUrl, mongodbViewsDatabase, mongodbTimeoutMs, mongodbMaxPoolSize } = mongodbConfig;
const { tombstoneSeconds } = retentionConfig;

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
});
export type NotifierConfig = z.infer<typeof notifierConfig>;
