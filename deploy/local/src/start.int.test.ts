import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Environment, environment } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type RunFile, readRunFile } from "./stack/run-file.ts";
import { freePorts } from "./supervisor/ports.ts";
import { answers, until } from "./supervisor/until.ts";

const SECOND = 1000;
const START = fileURLToPath(new URL("start.ts", import.meta.url));

let dataDir = "";
let port = 0;
let stack: ChildProcess;

/** `npm start` on the run's database and storage, and a NATS of its own. */
function start(args: string[], changes: Environment = {}): { child: ChildProcess; output: () => string } {
  const s3 = inject("s3");
  const child = spawn(process.execPath, [START, "--data", dataDir, ...args], {
    env: {
      ...environment,
      MONGODB_URL: inject("mongodbUrl"),
      MONGODB_VIEWS_DATABASE: `start_${port}_views`,
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: `start-${port}`,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      ...changes,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return { child, output: () => text };
}

const pidsOf = (run: RunFile | null, name: string) =>
  (run?.processes ?? []).filter((p) => p.name === name).map((p) => p.pid);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "longhaul-start-"));
  [port = 0] = await freePorts(1);
});
afterAll(async () => {
  stack?.kill("SIGKILL");
  await rm(dataDir, { recursive: true, force: true });
});

test("starts, supervises, refuses a second start, and stops cleanly", { timeout: 120 * SECOND }, async () => {
  const { child, output } = start(["--port", `${port}`, "--gateways", "2"]);
  stack = child;
  const ready = () => output().trimEnd().endsWith(`ready http://127.0.0.1:${port}`);
  await until(() => ready() || child.exitCode !== null, { timeoutMs: 60 * SECOND });
  expect(output()).toMatch(/^nats: NATS server 2\.15/m);
  expect(output()).toMatch(/^mongodb: given by MONGODB_URL$/m);
  expect(ready()).toBe(true);

  const run = await readRunFile(dataDir);
  expect(run).toMatchObject({ version: 1, pid: child.pid, dataDir, baseUrl: `http://127.0.0.1:${port}` });
  expect(run?.processes.map(({ name }) => name)).toEqual(["nats", "gateway", "gateway", "processor", "notifier"]);
  expect(run?.processes[1]?.ports.http).toBe(port);

  const second = start(["--port", `${port + 1}`]);
  const [exitCode] = await once(second.child, "exit");
  expect(exitCode).toBe(1);
  expect(second.output()).toContain(`process ${child.pid}`);

  const [before = 0] = pidsOf(run, "gateway");
  process.kill(before, "SIGKILL");
  const isBack = async () =>
    pidsOf(await readRunFile(dataDir), "gateway").every((pid) => pid !== before) &&
    (await answers(`http://127.0.0.1:${run?.processes[1]?.ports.metrics}/health/ready`, [200]));
  expect(await until(isBack, { timeoutMs: 30 * SECOND })).toBe(true);

  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(await readdir(dataDir)).toEqual(["logs", "nats", "secrets.json"]);
});

test("a port that is taken is an error, not another port", { timeout: 30 * SECOND }, async () => {
  const { child, output } = start(["--port", new URL(inject("s3").endpoint).port]);
  expect(await once(child, "exit")).toEqual([1, null]);
  expect(output()).toContain("is taken by another program");
});

test("a store without credentials is an error that names the variables", { timeout: 60 * SECOND }, async () => {
  const none = { S3_ACCESS_KEY_ID: "", S3_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" };
  const { child, output } = start(["--port", `${port}`], none);
  expect(await once(child, "exit")).toEqual([1, null]);
  expect(output()).toMatch(/bucket start-\d+ at http.*Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/);
  expect(output()).not.toContain("please report it");
});
