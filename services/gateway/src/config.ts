import {
  attemptsConfig,
  httpConfig,
  jobLimitsConfig,
  liveConfig,
  mongodbConfig,
  natsConfig,
  retentionConfig,
  s3Config,
  serviceConfig,
  sourceConfig,
} from "@longhaul/runtime";
import { z } from "zod";

/** Settings of the gateway. */
export const gatewayConfig = z.object({
  ...serviceConfig({ shutdownGraceMs: 10_000 }),
  ...natsConfig,
  ...mongodbConfig,
  ...s3Config,
  ...sourceConfig,
  ...httpConfig,
  ...liveConfig,
  ...jobLimitsConfig,
  ...attemptsConfig,
  ...retentionConfig,
});
export type GatewayConfig = Readonly<z.infer<typeof gatewayConfig>>;
