import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, environment } from "@longhaul/runtime";
import { putSamples } from "../../deploy/local/src/samples/put-samples.ts";
import { startServers } from "../../deploy/local/src/servers/start-servers.ts";
import { type S3Access, s3Access } from "../../deploy/local/src/stack/environment.ts";
import { type Stack, startStack } from "../../deploy/local/src/stack/start-stack.ts";
import type { SupervisedProcess } from "../../deploy/local/src/supervisor/supervised-process.ts";
import { startWatchdog } from "../../deploy/local/src/supervisor/watchdog.ts";
import { until } from "../support/until.ts";
import { LARGE, MOVING, SMALL } from "./asks.ts";
import { type StoreProxy, startStoreProxy } from "./store-proxy.ts";

export const ACK_WAIT_MS = 3_000;
const CREDENTIALS = { accessKeyId: "longhaul-chaos", secretAccessKey: "longhaul-chaos-secret" };
const COUNTS = { gateway: 2, processor: 3, notifier: 2 };

/**
 * Short times, and tries enough that no job fails by bad luck: then each one that fails is a fault of ours. The wait
 * between tries doubles, so it begins small.
 */
const CONFIGURATION: Environment = {
  LOG_LEVEL: "info",
  ACK_WAIT_MS: `${ACK_WAIT_MS}`,
  BUS_TIMEOUT_MS: "2000",
  S3_CALL_TIMEOUT_MS: "3000",
  MONGODB_TIMEOUT_MS: "3000",
  RETRY_BASE_MS: "20",
  BREAKER_MIN_CALLS: "10",
  BREAKER_RESET_MS: "2000",
  MAX_ATTEMPTS: "12",
  MAX_CRASHES: "50",
  SHUTDOWN_GRACE_MS: "8000",
  SLOTS_NORMAL: "8",
  REQUEUE_INTERVAL_MS: "1000",
  ORPHAN_INTERVAL_MS: "1000",
  ORPHAN_AGE_SECONDS: "5",
  ZERO_COPY_MIN_BYTES: "8000000",
};

export type ServiceName = keyof typeof COUNTS;
export type ProcessName = ServiceName | "nats" | "mongodb" | "s3";

/** A stack of its own, with servers that nobody else uses, to be ill-treated. */
export type ChaosStack = {
  stack: Stack;
  dataDir: string;
  /** The store itself, past the proxy. */
  s3: S3Access;
  proxy: StoreProxy;
  /** The numbers of the processes of that name which run now. */
  pids(name: ProcessName): number[];
  /** Resolves when as many of each run as there were. */
  whole(timeoutMs: number): Promise<void>;
  /** Stops everything; deletes the data unless `keep`. */
  dispose(keep: boolean): Promise<void>;
};

export async function startChaosStack(say: (line: string) => void): Promise<ChaosStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-chaos-"));
  const watchdog = startWatchdog();
  const s3Server = await startServers({
    dataDir: join(dataDir, "s3"),
    logDir: join(dataDir, "logs"),
    // Only the S3 server is started here: it does not belong to the stack, so that its number is known.
    env: { ...environment, NATS_URL: "later", MONGODB_URL: "later", S3_ENDPOINT: "" },
    credentials: CREDENTIALS,
    keepsData: false,
    supervision: { watchdog, say, onChange: () => {} },
  });
  const s3 = s3Access({}, s3Server.urls.s3, CREDENTIALS);
  const proxy = await startStoreProxy(s3.endpoint);
  const stopStore = async () => {
    await proxy.close();
    await Promise.all(s3Server.processes.map((process) => process.stop()));
    watchdog.dismiss();
  };
  try {
    const stack = await startStack({
      dataDir: join(dataDir, "stack"),
      port: 0,
      counts: COUNTS,
      env: {
        ...environment,
        ...CONFIGURATION,
        ...{ NATS_URL: "", MONGODB_URL: "" },
        ...{ S3_ENDPOINT: proxy.url, S3_REGION: s3.region, S3_BUCKET: s3.bucket },
        ...{ S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey },
      },
      say: () => {},
    });
    for (const shelf of [SMALL, LARGE, MOVING]) await putSamples(s3, shelf);
    return chaosStack(stack, dataDir, { s3, proxy, pids: () => pidsOf(s3Server.processes), stop: stopStore });
  } catch (error) {
    await stopStore();
    throw error;
  }
}

type Store = { s3: S3Access; proxy: StoreProxy; pids: () => number[]; stop: () => Promise<void> };

function chaosStack(stack: Stack, dataDir: string, store: Store): ChaosStack {
  const pids = (name: ProcessName) =>
    name === "s3" ? store.pids() : pidsOf(stack.processes().filter(({ spec }) => spec.name === name));
  return {
    stack,
    dataDir,
    s3: store.s3,
    proxy: store.proxy,
    pids,
    async whole(timeoutMs) {
      const names = Object.keys(COUNTS) as ServiceName[];
      const all = () =>
        names.every((name) => pids(name).length === COUNTS[name]) &&
        ["nats", "mongodb", "s3"].every((name) => pids(name as ProcessName).length === 1);
      await until("every process to run again", all, timeoutMs);
    },
    async dispose(keep) {
      await stack.stop();
      await store.stop();
      if (!keep) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const pidsOf = (processes: readonly SupervisedProcess[]) => processes.flatMap(({ pid }) => pid() ?? []);
