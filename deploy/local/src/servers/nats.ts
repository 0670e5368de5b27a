import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StackError } from "../stack-error.ts";
import { freePorts } from "../supervisor/ports.ts";
import { answers } from "../supervisor/until.ts";
import { type PlanOptions, READY_TIMEOUT_MS, type ServerPlan, serverGraceMs } from "./server-plan.ts";

const GIBIBYTE = 1024 ** 3;
const MIBIBYTE = 1024 ** 2;

export type NatsSettings = {
  port: number;
  monitorPort: number;
  storeDir: string;
  /** `1s`, or `always` for a sync before every acknowledgement. */
  syncInterval: string;
  /** What the jobs' stream reserves; the server's own limit must lie above it. */
  jobsMaxBytes: number;
};

/** The server's configuration file. */
export function natsConfiguration(settings: NatsSettings): string {
  const maxFileStore = Math.max(4 * GIBIBYTE, 3 * settings.jobsMaxBytes);
  return [
    'server_name: "longhaul"',
    `listen: "127.0.0.1:${settings.port}"`,
    `http: "127.0.0.1:${settings.monitorPort}"`,
    `max_payload: ${2 * MIBIBYTE}`,
    "jetstream {",
    `  store_dir: ${JSON.stringify(settings.storeDir)}`,
    `  sync_interval: ${JSON.stringify(settings.syncInterval)}`,
    `  max_file_store: ${maxFileStore}`,
    "}",
    "",
  ].join("\n");
}

/** Plans a NATS server with JetStream whose streams lie in `<data>/nats`. */
export async function planNats({ server, dataDir, logDir, env, keepsData = true }: PlanOptions): Promise<ServerPlan> {
  const folder = join(dataDir, "nats");
  await mkdir(folder, { recursive: true });
  const [port = 0, monitorPort = 0] = await freePorts(2);
  const configFile = join(folder, "nats.conf");
  const settings = {
    port,
    monitorPort,
    storeDir: folder,
    syncInterval: syncInterval(env.NATS_SYNC_INTERVAL),
    jobsMaxBytes: Number(env.JOBS_MAX_BYTES || GIBIBYTE),
  };
  await writeFile(configFile, natsConfiguration(settings));
  return {
    url: `nats://127.0.0.1:${port}`,
    spec: {
      name: "nats",
      kind: "server",
      command: server.command,
      args: [...server.prefix, "--config", configFile],
      env,
      cwd: folder,
      logFile: join(logDir, "nats.log"),
      ports: { client: port, http: monitorPort },
      ready: () => answers(`http://127.0.0.1:${monitorPort}/healthz`, [200]),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: serverGraceMs(keepsData),
    },
  };
}

function syncInterval(value: string | undefined): string {
  const interval = value || "1s";
  if (interval !== "always" && !/^\d+(ms|s|m)$/.test(interval)) {
    throw new StackError(`NATS_SYNC_INTERVAL is "${interval}"; it must be "always" or a time such as "1s".`, {
      code: "USAGE",
    });
  }
  return interval;
}
