import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { cacheDirectory } from "../../deploy/local/src/servers/cache.ts";
import { findServer } from "../../deploy/local/src/servers/find-server.ts";
import { freePorts } from "../../deploy/local/src/supervisor/ports.ts";
import { answers } from "../../deploy/local/src/supervisor/until.ts";
import { until } from "./until.ts";

const SERVERS = 3;
const SERVES_WITHIN_MS = 60_000;

/** Three NATS servers that are one JetStream cluster, for streams of three replicas. */
export type NatsCluster = { urls: string[]; remove(): Promise<void> };

export async function startNatsCluster(): Promise<NatsCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-cluster-"));
  const { command, prefix } = await findServer("nats", {
    env: environment,
    cacheDir: cacheDirectory(environment),
    say: () => {},
  });
  const ports = await freePorts(3 * SERVERS);
  const servers = Array.from({ length: SERVERS }, (_, i) => ({
    name: `n${i + 1}`,
    client: ports[3 * i] ?? 0,
    monitor: ports[3 * i + 1] ?? 0,
    route: ports[3 * i + 2] ?? 0,
  }));
  const routes = servers.map(({ route }) => `"nats://127.0.0.1:${route}"`).join(", ");
  const children: ChildProcess[] = [];
  const killAll = () => children.map((child) => child.kill("SIGKILL"));
  process.once("exit", killAll);
  for (const { name, client, monitor, route } of servers) {
    const file = join(dataDir, `${name}.conf`);
    await writeFile(
      file,
      `server_name: "${name}"
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${monitor}"
jetstream { store_dir: ${JSON.stringify(join(dataDir, name))}, max_file_store: 4294967296 }
cluster { name: "test", listen: "127.0.0.1:${route}", routes: [${routes}] }
`,
    );
    children.push(spawn(command, [...prefix, "--config", file], { stdio: "ignore" }));
  }
  for (const { name, monitor } of servers) {
    const url = `http://127.0.0.1:${monitor}/healthz`;
    await until(`${name} of the cluster to serve`, () => answers(url, [200]), SERVES_WITHIN_MS);
  }
  return {
    urls: servers.map(({ client }) => `nats://127.0.0.1:${client}`),
    async remove() {
      const gone = children.map((child) => once(child, "exit"));
      killAll();
      await Promise.all(gone);
      process.off("exit", killAll);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
