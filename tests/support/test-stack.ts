import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, environment } from "@longhaul/runtime";
import { putSamples } from "../../deploy/local/src/samples/put-samples.ts";
import type { Counts } from "../../deploy/local/src/stack/services.ts";
import { type Stack, startStack } from "../../deploy/local/src/stack/start-stack.ts";
import { until } from "./until.ts";

/** Short times for everything that production waits long for. */
const SHORT_TIMES: Environment = {
  LOG_LEVEL: "info",
  ACK_WAIT_MS: "5000",
  BUS_TIMEOUT_MS: "2000",
  S3_CALL_TIMEOUT_MS: "5000",
  RETRY_BASE_MS: "200",
  BREAKER_RESET_MS: "2000",
};

export type ServiceName = keyof Counts;

/** A stack of its own for one test file, on the shared MongoDB and S3 servers of the run, and a NATS of its own. */
export type TestStack = Stack & {
  dataDir: string;
  seed(firstId: number, files: number, sizeBytes: number): Promise<void>;
  pid(name: ServiceName | "nats"): number;
  /** Sends the signal to one process of that name; the supervisor starts it again. Resolves when another one runs. */
  signal(name: ServiceName | "nats", signal: NodeJS.Signals): Promise<void>;
  /** Stops the stack and, unless `keep`, deletes its data. */
  dispose(keep?: boolean): Promise<void>;
};

export type SharedServers = {
  mongodbUrl: string;
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
};

export type TestStackOptions = {
  servers: SharedServers;
  env?: Environment;
  counts?: Partial<Counts>;
  /** Data and names of an earlier stack of this test. */
  again?: { dataDir: string; name: string };
  name?: string;
};

export async function startTestStack({
  servers,
  env,
  counts,
  again,
  ...options
}: TestStackOptions): Promise<TestStack> {
  const dataDir = again?.dataDir ?? (await mkdtemp(join(tmpdir(), "longhaul-e2e-")));
  const name = again?.name ?? options.name ?? `t${randomUUID().slice(0, 8)}`;
  const stack = await startStack({
    dataDir,
    port: 0,
    counts: { gateway: 1, processor: 1, notifier: 1, ...counts },
    env: { ...environment, ...SHORT_TIMES, ...sharedServers(servers, name), ...env },
    say: () => {},
    keepsData: false,
  });
  const pid = (process: string) => stack.run().processes.find((p) => p.name === process)?.pid ?? 0;
  return Object.assign(stack, {
    dataDir,
    pid,
    seed: (firstId: number, files: number, sizeBytes: number) =>
      putSamples(stack.run().s3, { firstId, files, sizeBytes }),
    async signal(process: ServiceName | "nats", signal: NodeJS.Signals) {
      const before = pid(process);
      globalThis.process.kill(before, signal);
      await until(`another ${process}`, () => pid(process) !== 0 && pid(process) !== before, 60_000);
    },
    async dispose(keep = false) {
      await stack.stop();
      if (!keep) await rm(dataDir, { recursive: true, force: true });
    },
  });
}

function sharedServers({ mongodbUrl, s3 }: SharedServers, name: string): Environment {
  return {
    MONGODB_URL: mongodbUrl,
    MONGODB_VIEWS_DATABASE: `${name}_views`,
    MONGODB_RECORDS_DATABASE: `${name}_records`,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: name,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}
