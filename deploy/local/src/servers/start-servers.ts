import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "@longhaul/runtime";
import { StackError } from "../stack-error.ts";
import { type SupervisedProcess, type Supervision, startSupervised } from "../supervisor/supervised-process.ts";
import { cacheDirectory } from "./cache.ts";
import { type Implementation, programsOf, type Role } from "./catalog.ts";
import { type FoundServer, findServer, ROLE_VARIABLES } from "./find-server.ts";
import { mongodbFolder, planMongodb } from "./mongodb.ts";
import { planNats } from "./nats.ts";
import { planS3, type S3Credentials, s3Folder } from "./s3.ts";
import type { PlanOptions, ServerPlan } from "./server-plan.ts";

const ROLES: readonly Role[] = ["nats", "mongodb", "s3"];
/** Free ports are chosen before the server takes them; somebody else may be quicker. */
const START_TRIES = 3;

export type StartServersOptions = {
  dataDir: string;
  logDir: string;
  env: Environment;
  /** For an S3 server of our own. */
  credentials: S3Credentials;
  /** False for throw-away data: a database server that is killed may then lose its last writes, and is much faster. */
  keepsData: boolean;
  supervision: Supervision;
};

export type StartedServers = {
  urls: Record<Role, string>;
  /** One line for each role: what was taken. */
  taken: readonly string[];
  /** Those that were started here; a server given by its URL has none. */
  processes: readonly SupervisedProcess[];
};

/** Finds and starts the three servers, those that the environment names excepted. Stops what it started when one fails. */
export async function startServers(options: StartServersOptions): Promise<StartedServers> {
  await mkdir(options.logDir, { recursive: true });
  const found = await findAll(options);
  const started = await Promise.allSettled(ROLES.map((role) => startOne(role, found.get(role), options)));
  const running = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const processes = running.flatMap(({ process }) => (process ? [process] : []));
  const failure = started.find((result) => result.status === "rejected");
  if (failure) {
    await Promise.all(processes.map((process) => process.stop()));
    throw failure.reason;
  }
  return {
    urls: Object.fromEntries(running.map(({ role, url }) => [role, url])) as Record<Role, string>,
    taken: running.map(({ role, description }) => `${role}: ${description}`),
    processes,
  };
}

/** Looks for all servers at once and, when some cannot be had, says so about all of them. */
async function findAll(options: StartServersOptions): Promise<ReadonlyMap<Role, FoundServer>> {
  const { env, dataDir, supervision } = options;
  const cacheDir = cacheDirectory(env);
  const wanted = ROLES.filter((role) => !env[ROLE_VARIABLES[role]]);
  const looked = await Promise.allSettled(
    wanted.map(async (role): Promise<[Role, FoundServer]> => {
      const only = implementationsFor(role, dataDir);
      return [role, await findServer(role, { env, cacheDir, say: supervision.say, signal: supervision.signal, only })];
    }),
  );
  const missing = looked.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  const unexpected = missing.find((reason) => !(reason instanceof StackError));
  if (missing.length > 0) {
    throw (
      unexpected ??
      new StackError(missing.map((reason: StackError) => reason.message).join("\n\n"), { code: "SERVER_NOT_FOUND" })
    );
  }
  return new Map(looked.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
}

/** The programs that can read what the data folder holds; all of the role when it holds nothing yet. */
function implementationsFor(role: Role, dataDir: string): readonly Implementation[] {
  const all = programsOf(role).map(({ implementation }) => implementation);
  const withData = all.filter((implementation) => existsSync(join(dataDir, dataFolder(implementation))));
  return withData.length > 0 ? withData : all;
}

function dataFolder(implementation: Implementation): string {
  switch (implementation) {
    case "nats-server":
      return "nats";
    case "versitygw":
    case "seaweedfs":
      return s3Folder(implementation);
    default:
      return mongodbFolder(implementation);
  }
}

type Running = { role: Role; url: string; description: string; process: SupervisedProcess | null };

async function startOne(role: Role, server: FoundServer | undefined, options: StartServersOptions): Promise<Running> {
  if (!server) {
    const variable = ROLE_VARIABLES[role];
    return { role, url: options.env[variable] ?? "", description: `given by ${variable}`, process: null };
  }
  for (let attempt = 1; ; attempt++) {
    const { spec, url } = await plan(role, { ...options, server });
    try {
      return { role, url, description: server.description, process: await startSupervised(spec, options.supervision) };
    } catch (error) {
      if (attempt === START_TRIES || !(error instanceof StackError && error.code === "ENDED_AT_START")) {
        throw error;
      }
    }
  }
}

function plan(role: Role, options: StartServersOptions & PlanOptions): Promise<ServerPlan> {
  switch (role) {
    case "nats":
      return planNats(options);
    case "mongodb":
      return planMongodb(options);
    case "s3":
      return planS3(options);
  }
}
