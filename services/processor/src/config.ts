import {
  attemptsConfig,
  jobLimitsConfig,
  natsConfig,
  retentionConfig,
  s3Config,
  serviceConfig,
  sourceConfig,
  workerConfig,
} from "@longhaul/runtime";
import { z } from "zod";

const { fileMaxBytes } = jobLimitsConfig;
const { retryWindowFailedSeconds, retryWindowCancelledSeconds } = retentionConfig;

/** Every environment variable that a processor reads. */
export const processorConfig = z.object({
  ...serviceConfig({ shutdownGraceMs: 25_000 }),
  ...natsConfig,
  ...s3Config,
  ...sourceConfig,
  ...workerConfig,
  ...attemptsConfig,
  fileMaxBytes,
  retryWindowFailedSeconds,
  retryWindowCancelledSeconds,
});
export type ProcessorConfig = z.infer<typeof processorConfig>;
