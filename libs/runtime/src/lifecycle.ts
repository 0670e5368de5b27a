import type { z } from "zod";
import { BootError } from "./boot-error.ts";
import { ConfigError, type ConfigSchema, loadConfig, maskedConfig } from "./config/load.ts";
import type { serviceConfig } from "./config/service-shapes.ts";
import { unknownVariables } from "./config/unknown-variables.ts";
import { environment } from "./environment.ts";
import { HealthRegistry } from "./health.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { startOpsServer } from "./ops-server.ts";
import { redact } from "./redaction.ts";
import { Releasers } from "./releasers.ts";
import { type StopRequest, stopRequested } from "./stop-request.ts";
import { supervise } from "./supervise.ts";
import { VERSION } from "./version.ts";

/** EX_CONFIG of sysexits.h: to start again without a change is useless. */
const EXIT_CONFIG = 78;

type ServiceSettings = z.infer<z.ZodObject<ReturnType<typeof serviceConfig>>>;

/** What the chassis hands to a service's boot. */
export type ServiceContext<C> = {
  config: Readonly<C>;
  log: Logger;
  metrics: Metrics;
  health: HealthRegistry;
  releasers: Releasers;
  /** Aborted when the service is asked to stop, before anything is released. */
  signal: AbortSignal;
  /** Runs one step of the boot; an error then says in which step it happened. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>;
};

/**
 * Runs a service from its first line to its last: settings from the environment, log, health and metrics on the
 * metrics port, `boot`, then waiting; when asked to stop, `draining`, the signal, and the releasers, in
 * `SHUTDOWN_GRACE_MS`. Never returns: the process ends with 0 after an orderly end, 1 when the boot or a release
 * failed, 78 when the settings are wrong, 128 + n at the second signal n.
 * @param schema must contain `serviceConfig`
 * @param boot opens what the service needs and defers each close; the service is ready when it resolves
 */
export async function runService<C extends ServiceSettings>(
  name: string,
  schema: ConfigSchema & z.ZodType<C>,
  boot: (context: ServiceContext<C>) => Promise<void>,
): Promise<never> {
  const config = configOrExit(name, schema);
  const log = createLogger(name, config.logLevel);
  const releasers = new Releasers(log);
  const stopping = new AbortController();
  const stop = stopRequested((reason) => log.fatal({ reason }, "leaving at once, without an orderly end"));

  log.info({ version: VERSION, config: maskedConfig(config) }, "starting");
  const unknown = unknownVariables(schema, environment);
  if (unknown.length > 0) log.warn({ variables: unknown }, "these variables are set and have no effect: misspelt?");

  const context = { config, log, releasers, signal: stopping.signal, step, ...observe(name, log, stopping.signal) };
  const booting = bootWithOps(context, boot);
  const request = await Promise.race([stop, booting.then(() => stop, failedBoot)]);

  if (request.error) reportError(name, request, log);
  else log.info({ reason: request.reason }, "stopping");
  context.health.phase = "draining";
  stopping.abort();
  const unreleased = await releasers.release(config.shutdownGraceMs);
  log.info({ unreleased }, "stopped");
  return process.exit(unreleased.length > 0 ? 1 : request.exitCode);
}

function configOrExit<C>(name: string, schema: ConfigSchema & z.ZodType<C>): Readonly<C> {
  try {
    return loadConfig(schema, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printForPeople(`${name} cannot start. ${error.message}`);
    return process.exit(EXIT_CONFIG);
  }
}

function observe(name: string, log: Logger, signal: AbortSignal): { metrics: Metrics; health: HealthRegistry } {
  const metrics = createMetrics(name);
  const health = new HealthRegistry(metrics.registry);
  supervise([{ name: "health", run: (stopped) => health.run(stopped) }], { log, signal });
  return { metrics, health };
}

/** The side door opens first and closes last, so that probes see `starting` and `draining`. */
async function bootWithOps<C extends ServiceSettings>(
  context: ServiceContext<C>,
  boot: (context: ServiceContext<C>) => Promise<void>,
): Promise<void> {
  const { config, log, health, metrics, releasers, signal } = context;
  const ops = await startOpsServer({ host: config.metricsHost, port: config.metricsPort, health, metrics });
  releasers.defer("the health server", () => ops.close());
  await boot(context);
  if (signal.aborted) return;
  health.phase = "ready";
  log.info({ metricsPort: ops.port }, "ready");
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BootError || !(error instanceof Error)) throw error;
    const code = "code" in error && typeof error.code === "string" ? error.code : "BOOT_FAILED";
    throw new BootError(`Could not ${name}: ${error.message}`, { code, cause: error });
  }
}

const failedBoot = (error: unknown): StopRequest => ({ reason: "the start failed", exitCode: 1, error });

/** To the log with all that is known, and to people what they can use. */
function reportError(name: string, { reason, error }: StopRequest, log: Logger): void {
  log.fatal({ err: error }, reason);
  const message = error instanceof Error ? error.message : String(error);
  printForPeople(`${name} stops, because ${reason}. ${message}`);
}

function printForPeople(text: string): void {
  process.stderr.write(`${redact(text)}\n`);
}
