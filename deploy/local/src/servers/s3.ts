import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "../supervisor/ports.ts";
import { answers } from "../supervisor/until.ts";
import type { Implementation } from "./catalog.ts";
import { type PlanOptions, READY_TIMEOUT_MS, type ServerPlan, serverGraceMs } from "./server-plan.ts";

export type S3Credentials = { accessKeyId: string; secretAccessKey: string };

const SEAWEEDFS_PORTS = [
  ...["master.port", "master.port.grpc", "filer.port", "filer.port.grpc", "volume.port", "volume.port.grpc"],
  ...["s3.port.grpc", "admin.port", "admin.port.grpc"],
];

/** Folders of the S3 gateway. */
const OBJECTS = "objects";
const METADATA = "metadata";

/** Each S3 server keeps objects in a way of its own. */
export function s3Folder(implementation: Implementation): string {
  return `s3-${implementation}`;
}

/** SeaweedFS in one process: everything on the loopback address, nothing sent home, no extra services. */
export function seaweedfsArguments(folder: string, s3Port: number, otherPorts: readonly number[]): string[] {
  return [
    "mini",
    `-dir=${folder}`,
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-master.telemetry=false",
    "-admin.ui=false",
    "-webdav=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    // Relative to the folder that it runs in: a socket's path has room for about a hundred characters.
    "-filer.localSocket=filer.sock",
    "-s3.localSocket=s3.sock",
    `-s3.port=${s3Port}`,
    ...SEAWEEDFS_PORTS.map((flag, index) => `-${flag}=${otherPorts[index]}`),
  ];
}

/**
 * The S3 gateway over a plain folder. What it has to know of an object is in files beside: as attributes of the object, which
 * on ext4 have room for 4 KB, it could not join more than some 1,400 parts (versitygw issue 2424).
 */
export function versitygwArguments(folder: string, s3Port: number): string[] {
  const listen = ["--port", `127.0.0.1:${s3Port}`, "--quiet", "--health", "/healthz"];
  return [...listen, "posix", "--sidecar", join(folder, METADATA), join(folder, OBJECTS)];
}

/** Plans an S3 server that takes the given credentials. Its bucket is made by whoever starts it. */
export async function planS3(options: PlanOptions & { credentials: S3Credentials }): Promise<ServerPlan> {
  const { server, dataDir, logDir, env, keepsData = true, credentials } = options;
  const folder = join(dataDir, s3Folder(server.implementation));
  const seaweedfs = server.implementation === "seaweedfs";
  const folders = seaweedfs ? [folder] : [METADATA, OBJECTS].map((name) => join(folder, name));
  for (const it of folders) await mkdir(it, { recursive: true });
  const [port = 0, ...others] = await freePorts(1 + (seaweedfs ? SEAWEEDFS_PORTS.length : 0));
  const { accessKeyId, secretAccessKey } = credentials;
  const variables = seaweedfs
    ? { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    : { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    spec: {
      name: "s3",
      kind: "server",
      command: server.command,
      args: [
        ...server.prefix,
        ...(seaweedfs ? seaweedfsArguments(folder, port, others) : versitygwArguments(folder, port)),
      ],
      env: { ...env, ...variables },
      cwd: folder,
      logFile: join(logDir, "s3.log"),
      ports: { client: port },
      // SeaweedFS is there once it refuses whoever has no credentials.
      ready: () => (seaweedfs ? answers(url, [403]) : answers(`${url}/healthz`, [200])),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopGraceMs: serverGraceMs(keepsData),
    },
  };
}
