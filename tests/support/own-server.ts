import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { cacheDirectory } from "../../deploy/local/src/servers/cache.ts";
import { findServer } from "../../deploy/local/src/servers/find-server.ts";
import { planMongodb } from "../../deploy/local/src/servers/mongodb.ts";
import { planNats } from "../../deploy/local/src/servers/nats.ts";
import { startSupervised } from "../../deploy/local/src/supervisor/supervised-process.ts";
import { startWatchdog } from "../../deploy/local/src/supervisor/watchdog.ts";
import { until } from "./until.ts";

/** A server for one test file: with streams of its own, or to be killed. */
export type OwnServer = {
  url: string;
  port: number;
  /** SIGKILL; it stays down. */
  kill(): Promise<void>;
  /** Starts it again, at the same address and with the same data. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
};

/** What the server has acknowledged survives its kill. */
export async function startOwnServer(role: "nats" | "mongodb"): Promise<OwnServer> {
  const dataDir = await mkdtemp(join(tmpdir(), `longhaul-own-${role}-`));
  const supervision = { watchdog: startWatchdog(), say: () => {}, onChange: () => {} };
  const env = environment;
  const server = await findServer(role, { env, cacheDir: cacheDirectory(env), say: () => {} });
  const planned = { server, dataDir, logDir: dataDir, env };
  const { spec, url } = await (role === "nats" ? planNats(planned) : planMongodb(planned));
  let running = await startSupervised(spec, supervision);
  return {
    url,
    port: Number(new URL(url).port),
    async kill() {
      running.kill();
      await until(`the end of ${role}`, () => running.pid() === null);
    },
    async restart() {
      running = await startSupervised(spec, supervision);
    },
    async remove() {
      await running.stop();
      supervision.watchdog.dismiss();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
