import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { cacheDirectory } from "../../deploy/local/src/servers/cache.ts";
import { findServer } from "../../deploy/local/src/servers/find-server.ts";
import { planNats } from "../../deploy/local/src/servers/nats.ts";
import { until } from "./until.ts";

/** A NATS server that belongs to one test, to be killed and started again on the same port and data. */
export type NatsServer = {
  url: string;
  port: number;
  /** Starts it again after `kill`; resolves when it serves. */
  start(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
};

/** Streams have fixed names, so a test that needs them empty, small or interrupted has a server of its own. */
export async function startNats(): Promise<NatsServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-nats-"));
  const logDir = join(dataDir, "logs");
  await mkdir(logDir);
  const search = { env: environment, cacheDir: cacheDirectory(environment), say: () => {} };
  const { spec, url } = await planNats({
    server: await findServer("nats", search),
    dataDir,
    logDir,
    env: environment,
  });
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    child = spawn(spec.command, spec.args, { cwd: spec.cwd, stdio: "ignore" });
    await until("the NATS server serves", () => spec.ready());
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  // A test run that ends early must not leave a server behind.
  process.once("exit", () => child?.kill("SIGKILL"));
  await start();
  return {
    url,
    port: Number(new URL(url).port),
    start,
    kill,
    async remove() {
      await kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
