import { z } from "zod";
import type { Environment } from "../environment.ts";
import { attemptsConfig, breakerConfig, expiryConfig, jobLimitsConfig, retentionConfig } from "./job-shapes.ts";
import { type ConfigSchema, loadConfig, variableOf } from "./load.ts";
import { mongodbConfig, natsConfig, s3Config, streamConfig } from "./server-shapes.ts";
import {
  archiveConfig,
  housekeepingConfig,
  httpConfig,
  liveConfig,
  projectorConfig,
  serviceConfig,
  workerConfig,
} from "./service-shapes.ts";
import { sourceConfig } from "./source-shapes.ts";

/** All services are often started with one environment, so what another service reads is not unknown. */
const everything = z.object({
  ...natsConfig,
  ...streamConfig,
  ...mongodbConfig,
  ...s3Config,
  ...sourceConfig,
  ...jobLimitsConfig,
  ...attemptsConfig,
  ...breakerConfig,
  ...retentionConfig,
  ...expiryConfig,
  ...serviceConfig({ shutdownGraceMs: 0 }),
  ...httpConfig,
  ...liveConfig,
  ...workerConfig,
  ...archiveConfig,
  ...housekeepingConfig,
  ...projectorConfig,
});

/** Prefixes that are ours. Words that any program might use (`LOG_`, `MAX_`) are left out. */
const PREFIX =
  /^(?:BREAKER|NATS|MONGODB|S3|SOURCE|JOBS|JOB|RESULT|RETRY|SLOTS|PROJECTOR|PROGRESS|STREAM|WATCH|METRICS|HTTP_SOURCE|SYNTHETIC)_/;
/** What Kubernetes puts into every pod for a service that is called `nats` or `mongodb`. */
const KUBERNETES = /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP)\w*)?$/;

/** Variables that look like ours, are set, and have no effect: misspelt, or of another version. */
export function unknownVariables(schema: ConfigSchema, env: Environment): string[] {
  const known = new Set([...Object.keys(everything.shape), ...Object.keys(schema.shape)].map(variableOf));
  return Object.keys(env)
    .filter((name) => env[name] && PREFIX.test(name) && !known.has(name) && !KUBERNETES.test(name))
    .sort();
}

/**
 * Looks at every variable that some service reads, before any of them is started.
 * @throws ConfigError that names each one that is set and wrong
 */
export function checkVariables(env: Environment): void {
  loadConfig(everything.partial(), env);
}
