import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acceptsConnections, freePorts } from "../supervisor/ports.ts";
import type { Implementation } from "./catalog.ts";
import { type PlanOptions, READY_TIMEOUT_MS, type ServerPlan, serverGraceMs } from "./server-plan.ts";

/** The two SecantusDB programs share one format on disk; MongoDB's is another. */
export function mongodbFolder(implementation: Implementation): string {
  return implementation === "mongod" ? "mongodb" : "mongodb-secantus";
}

/** The arguments of a database server. `syncEachCommit` makes an acknowledged write survive a kill of the server. */
export function mongodbArguments(
  implementation: Implementation,
  port: number,
  folder: string,
  syncEachCommit: boolean,
): string[] {
  if (implementation === "mongod") {
    return [
      "--bind_ip",
      "127.0.0.1",
      "--port",
      `${port}`,
      "--dbpath",
      folder,
      "--nounixsocket",
      "--wiredTigerCacheSizeGB",
      "0.25",
    ];
  }
  return [
    ...[
      "--config",
      join(folder, "secantusd.toml"),
      "--host",
      "127.0.0.1",
      "--port",
      `${port}`,
      "--storage-path",
      join(folder, "data"),
    ],
    ...["--cache-size", "256M", "--log-level", "WARNING"],
    ...(syncEachCommit ? ["--sync-on-commit"] : []),
  ];
}

/** Plans a MongoDB-compatible server. */
export async function planMongodb(options: PlanOptions): Promise<ServerPlan> {
  const { server, dataDir, logDir, env, keepsData = true } = options;
  const folder = join(dataDir, mongodbFolder(server.implementation));
  await mkdir(folder, { recursive: true });
  if (server.implementation !== "mongod") {
    // Named on the command line, so that no configuration lying about elsewhere is picked up.
    await writeFile(join(folder, "secantusd.toml"), "");
  }
  const [port = 0] = await freePorts(1);
  return {
    url: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    spec: {
      name: "mongodb",
      kind: "server",
      command: server.command,
      args: [...server.prefix, ...mongodbArguments(server.implementation, port, folder, keepsData)],
      env,
      cwd: folder,
      logFile: join(logDir, "mongodb.log"),
      ports: { client: port },
      ready: () => acceptsConnections(port),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: serverGraceMs(keepsData),
    },
  };
}
