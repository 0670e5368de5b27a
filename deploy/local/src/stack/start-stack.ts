import { join, resolve } from "node:path";
import { checkVariables, type Environment } from "@longhaul/runtime";
import { runOrFail } from "../run-command.ts";
import { startServers } from "../servers/start-servers.ts";
import { StackError } from "../stack-error.ts";
import { canListen, freePorts } from "../supervisor/ports.ts";
import { type Supervision, startSupervised } from "../supervisor/supervised-process.ts";
import { ensureBucket } from "./bucket.ts";
import { takeDataFolder } from "./data-folder.ts";
import { s3Access, serviceEnvironment } from "./environment.ts";
import { RunningStack } from "./running-stack.ts";
import { keptSecrets } from "./secrets.ts";
import { type Counts, planServices, REPOSITORY, reachable } from "./services.ts";

const MIGRATE_TIMEOUT_MS = 120_000;

export type StackOptions = {
  dataDir: string;
  /** Port of the first gateway; 0 = a free one. */
  port: number;
  counts: Counts;
  /** Whatever is set here reaches the services, and beats what the stack would choose. */
  env: Environment;
  say: (line: string) => void;
  /** Ends a start that is under way: what was started is stopped again. */
  signal?: AbortSignal;
  /** False for data that is thrown away: faster, and the database may lose its last writes when it is killed. */
  keepsData?: boolean;
};

/** A stack that is up. */
export type Stack = Pick<RunningStack, "baseUrl" | "logDir" | "taken" | "run" | "processes" | "stop" | "kill">;

/** Starts servers and services on a data folder and resolves when every one of them is ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  checkVariables(options.env);
  const dataDir = resolve(options.dataDir);
  const port = options.port || (await freePorts(1))[0] || 0;
  const host = reachable(options.env.HOST);
  const giveBack = await takeDataFolder(dataDir, options.say);
  const stack = new RunningStack(dataDir, `http://${host}:${port}`, giveBack);
  try {
    await refuseBusyPort(port, options.env.HOST);
    await bringUp(stack, { ...options, dataDir, port });
    return stack;
  } catch (error) {
    await stack.stop();
    throw options.signal?.aborted ? new StackError("Stopped before everything was up.", { code: "STOPPED" }) : error;
  }
}

async function refuseBusyPort(port: number, host: string | undefined): Promise<void> {
  if (!(await canListen(port, host || "127.0.0.1"))) {
    throw new StackError(
      `Port ${port} is taken by another program, or this user may not use it. Stop that program, or choose another port: npm start -- --port N`,
      { code: "PORT_BUSY" },
    );
  }
}

async function bringUp(stack: RunningStack, options: StackOptions): Promise<void> {
  const { dataDir, env, say, signal } = options;
  const secrets = await keptSecrets(dataDir);
  const credentials = {
    accessKeyId: env.S3_ACCESS_KEY_ID || secrets.s3AccessKeyId,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY || secrets.s3SecretAccessKey,
  };
  const supervision: Supervision = { ...stack.supervision(say), ...(signal ? { signal } : {}) };
  const servers = await startServers({
    dataDir,
    logDir: stack.logDir,
    env,
    credentials,
    keepsData: options.keepsData ?? true,
    supervision,
  });
  stack.add(...servers.processes);
  stack.taken = servers.taken;
  const s3 = s3Access(env, servers.urls.s3, credentials);
  const serviceEnv = serviceEnvironment(env, servers.urls, s3, secrets);
  stack.describe({
    nats: { url: servers.urls.nats },
    mongodb: {
      url: servers.urls.mongodb,
      viewsDatabase: env.MONGODB_VIEWS_DATABASE || "longhaul_views",
      recordsDatabase: env.MONGODB_RECORDS_DATABASE || "longhaul_records",
    },
    s3,
  });
  await ensureBucket(serviceEnv);
  await migrate(serviceEnv, signal);
  const specs = await planServices({
    counts: options.counts,
    port: options.port,
    logDir: stack.logDir,
    env: serviceEnv,
  });
  const started = await Promise.allSettled(
    specs.map(async (spec) => stack.add(await startSupervised(spec, supervision))),
  );
  const failure = started.find((result) => result.status === "rejected");
  if (failure) {
    throw failure.reason;
  }
  await stack.written();
}

/** In a process of its own, as `npm run migrate` does it: there is one way to migrate. */
async function migrate(env: Environment, signal: AbortSignal | undefined): Promise<void> {
  const script = join(REPOSITORY, "deploy", "local", "src", "migrate.ts");
  await runOrFail("The migration", process.execPath, [script], {
    env,
    timeoutMs: MIGRATE_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
}
