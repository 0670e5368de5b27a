export { BootError } from "./boot-error.ts";
export {
  Breaker,
  type BreakerOptions,
  type BreakerSettings,
  type CallVerdict,
} from "./breaker.ts";
export { type Clock, sleptThrough, systemClock } from "./clock.ts";
export { envList } from "./config/fields.ts";
export { attemptsConfig, breakerConfig, expiryConfig, jobLimitsConfig, retentionConfig } from "./config/job-shapes.ts";
export { ConfigError, type ConfigSchema, loadConfig, type Settings } from "./config/load.ts";
export { mongodbConfig, natsConfig, s3Config, streamConfig } from "./config/server-shapes.ts";
export {
  archiveConfig,
  housekeepingConfig,
  httpConfig,
  liveConfig,
  projectorConfig,
  serviceConfig,
  workerConfig,
  zeroCopyConfig,
} from "./config/service-shapes.ts";
export { type SyntheticRule, sourceConfig } from "./config/source-shapes.ts";
export { checkVariables } from "./config/unknown-variables.ts";
export { TimeoutError, withTimeout } from "./deadline.ts";
export { type Environment, environment } from "./environment.ts";
export { type GuardedAnswer, GuardedHttp } from "./guarded-http/guarded-http.ts";
export { GuardedHttpError } from "./guarded-http/guarded-http-error.ts";
export { isPublicAddress } from "./guarded-http/public-address.ts";
export { type Dependency, type DependencyCheck, type HealthAnswer, HealthRegistry, type Phase } from "./health.ts";
export { inParallel } from "./in-parallel.ts";
export { runService, type ServiceContext } from "./lifecycle.ts";
export { createLogger, jobLog, LOG_LEVELS, type Logger, type LogLevel } from "./logger.ts";
export { Counter, createMetrics, Gauge, Histogram, type Metrics } from "./metrics.ts";
export { type Random, systemRandom } from "./random.ts";
export { Releasers } from "./releasers.ts";
export { backoffMs } from "./retry.ts";
export { seededChunks } from "./seeded-bytes.ts";
export { type Loop, type LoopHealth, type Supervision, supervise } from "./supervise.ts";
export { childOf, traceIdOf } from "./trace-context.ts";
export { VERSION } from "./version.ts";
