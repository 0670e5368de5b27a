import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { cacheDirectory } from "../../deploy/local/src/servers/cache.ts";
import { type FoundServer, findServer } from "../../deploy/local/src/servers/find-server.ts";
import { planS3 } from "../../deploy/local/src/servers/s3.ts";
import { ensureBucket } from "../../deploy/local/src/stack/bucket.ts";
import { type S3Access, s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { startSupervised } from "../../deploy/local/src/supervisor/supervised-process.ts";
import { startWatchdog } from "../../deploy/local/src/supervisor/watchdog.ts";

/** The S3 servers that stores differ between; what is done to a store is tested on each that this machine has. */
export const S3_SERVERS = ["versitygw", "seaweedfs"] as const;
export type S3Server = (typeof S3_SERVERS)[number];

export type OwnS3 = S3Access & { remove(): Promise<void> };

/** The program, or null when this machine neither has nor can install it. */
export async function findS3(implementation: S3Server): Promise<FoundServer | null> {
  const search = { env: environment, cacheDir: cacheDirectory(environment), say: () => {} };
  return await findServer("s3", { ...search, only: [implementation] }).catch(() => null);
}

/** An S3 server of one kind, with a bucket, for one test file. */
export async function startS3(server: FoundServer): Promise<OwnS3> {
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-s3-"));
  const credentials = { accessKeyId: "longhaul-tests", secretAccessKey: "longhaul-tests-secret" };
  const { spec, url } = await planS3({
    server,
    dataDir,
    logDir: dataDir,
    env: environment,
    keepsData: false,
    credentials,
  });
  const watchdog = startWatchdog();
  const running = await startSupervised(spec, { watchdog, say: () => {}, onChange: () => {} });
  const access = { endpoint: url, region: "us-east-1", bucket: "longhaul", ...credentials };
  await ensureBucket({ ...environment, ...s3Variables(access) });
  return {
    ...access,
    async remove() {
      await running.stop();
      watchdog.dismiss();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
