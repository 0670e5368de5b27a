import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "@longhaul/runtime";
import { freePorts } from "../supervisor/ports.ts";
import type { ProcessSpec } from "../supervisor/supervised-process.ts";
import { answers } from "../supervisor/until.ts";

export type ServiceName = "gateway" | "processor" | "notifier";
export type Counts = Record<ServiceName, number>;

/** Whoever takes work in stops first, whoever reports on it last. */
export const STOP_ORDER: readonly ServiceName[] = ["gateway", "processor", "notifier"];

export const REPOSITORY: string = fileURLToPath(new URL("../../../../", import.meta.url));

const DEFAULT_GRACE_MS: Record<ServiceName, number> = { gateway: 10_000, processor: 25_000, notifier: 10_000 };
/**
 * A processor under load makes some 70 KB of short-lived objects for each job, and each collection copies what belongs
 * to the jobs under way: with 200 of them 32 MB of room take less CPU than 16 do, for 40 MB of memory
 * (docs/performance.md). Left to itself V8 takes twice as much room, for no more gain.
 */
const NODE_FLAGS: Partial<Record<ServiceName, string[]>> = { processor: ["--max-semi-space-size=32"] };
/** A service ends by itself when its grace is over; only one that hangs is ended from here. */
const GRACE_MARGIN_MS = 5_000;
const READY_TIMEOUT_MS = 45_000;

export type ServicePlanOptions = {
  counts: Counts;
  /** Port of the first gateway; the others get free ones. */
  port: number;
  logDir: string;
  /** Everything that the services read, but for the ports. */
  env: Environment;
};

/** The processes of the services. Each gets ports of its own, whatever METRICS_PORT says: they share a machine. */
export async function planServices({ counts, port, logDir, env }: ServicePlanOptions): Promise<ProcessSpec[]> {
  const names = STOP_ORDER.flatMap((name) => Array.from({ length: counts[name] }, (_, index) => ({ name, index })));
  const free = await freePorts(2 * names.length);
  return names.map(({ name, index }, position) => {
    const metrics = free[2 * position] ?? 0;
    const http = name === "gateway" ? (index === 0 ? port : (free[2 * position + 1] ?? 0)) : undefined;
    return {
      name,
      kind: "service",
      command: process.execPath,
      args: [...(NODE_FLAGS[name] ?? []), servicePath(name)],
      env: { ...env, METRICS_PORT: `${metrics}`, ...(http === undefined ? {} : { PORT: `${http}` }) },
      cwd: REPOSITORY,
      logFile: join(logDir, counts[name] === 1 ? `${name}.log` : `${name}-${index + 1}.log`),
      ports: http === undefined ? { metrics } : { http, metrics },
      ready: () => answers(`http://${reachable(env.METRICS_HOST)}:${metrics}/health/ready`, [200]),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: Number(env.SHUTDOWN_GRACE_MS || DEFAULT_GRACE_MS[name]) + GRACE_MARGIN_MS,
    };
  });
}

export function servicePath(name: ServiceName): string {
  return join(REPOSITORY, "services", name, "src", "main.ts");
}

/** The address at which this machine reaches a server that listens on `host`. */
export function reachable(host: string | undefined): string {
  if (!host || host === "0.0.0.0" || host === "::" || host === "localhost") {
    return "127.0.0.1";
  }
  return host.includes(":") ? `[${host}]` : host;
}
