import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import type { TestProject } from "vitest/node";
import { startServers } from "../../deploy/local/src/servers/start-servers.ts";
import { ensureBucket } from "../../deploy/local/src/stack/bucket.ts";
import { type S3Access, s3Access, s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { startWatchdog } from "../../deploy/local/src/supervisor/watchdog.ts";

declare module "vitest" {
  export interface ProvidedContext {
    natsUrl: string;
    mongodbUrl: string;
    /** A bucket of its own for the run; tests isolate by unique keys. */
    s3: S3Access;
  }
}

const CREDENTIALS = { accessKeyId: "longhaul-tests", secretAccessKey: "longhaul-tests-secret" };

/**
 * Real servers for a run of tests, started once, and shared: a test keeps apart by unique names. NATS_URL, MONGODB_URL
 * and S3_ENDPOINT name servers to use instead. Never builds one: what the cache has is taken, else a prebuilt package.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-tests-"));
  const watchdog = startWatchdog();
  const servers = await startServers({
    dataDir,
    logDir: join(dataDir, "logs"),
    env: environment,
    credentials: CREDENTIALS,
    keepsData: false,
    supervision: { watchdog, say: (line) => console.log(line), onChange: () => {} },
  });
  const teardown = async () => {
    await Promise.all(servers.processes.map((process) => process.stop()));
    watchdog.dismiss();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const s3 = s3Access(environment, servers.urls.s3, CREDENTIALS);
    await ensureBucket({ ...environment, ...s3Variables(s3) });
    project.provide("natsUrl", servers.urls.nats);
    project.provide("mongodbUrl", servers.urls.mongodb);
    project.provide("s3", s3);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
