import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takeDataFolder } from "./data-folder.ts";
import { type RunFile, readRunFile, writeRunFile } from "./run-file.ts";

let dataDir = "";
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "longhaul-data-"));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

const run = (pid: number, processes: RunFile["processes"] = []): RunFile => ({
  version: 1,
  pid,
  dataDir,
  baseUrl: "http://127.0.0.1:8080",
  processes,
  nats: { url: "nats://127.0.0.1:4222" },
  mongodb: { url: "mongodb://127.0.0.1:27017", viewsDatabase: "v", recordsDatabase: "r" },
  s3: { endpoint: "http://127.0.0.1:9000", region: "us-east-1", bucket: "b", accessKeyId: "a", secretAccessKey: "s" },
});

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid ?? 0;
}

test("the run file is for its owner only and replaced as a whole", async () => {
  await writeRunFile(run(1));
  await writeRunFile(run(process.pid));
  expect((await stat(join(dataDir, "run.json"))).mode & 0o777).toBe(0o600);
  expect(await readRunFile(dataDir)).toEqual(run(process.pid));
  expect(await readdir(dataDir)).toEqual(["run.json"]);
});

test("a folder that a living stack works on is refused, and the stack is named", async () => {
  await writeRunFile(run(process.pid));
  await expect(takeDataFolder(dataDir, () => {})).rejects.toMatchObject({
    code: "ALREADY_RUNNING",
    message: expect.stringContaining(`process ${process.pid}`),
  });
});

test("what a killed stack left is no obstacle: its processes are ended, those of others are not", async () => {
  const left = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)", dataDir], { stdio: "ignore" });
  const other = spawn("sleep", ["600"], { stdio: "ignore" });
  const entry = (pid: number | undefined) => ({ name: "nats" as const, pid: pid ?? 0, ports: {}, log: "" });
  await writeRunFile(run(await endedPid(), [entry(left.pid), entry(other.pid)]));
  const gone = once(left, "exit");

  const giveBack = await takeDataFolder(dataDir, () => {});
  await gone;
  expect(other.exitCode).toBeNull();
  other.kill();
  await giveBack();
  expect(await readdir(dataDir)).toEqual([]);
});

test("of two starts at once one gets the folder", async () => {
  const both = await Promise.allSettled([takeDataFolder(dataDir, () => {}), takeDataFolder(dataDir, () => {})]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  await Promise.all(both.map((result) => (result.status === "fulfilled" ? result.value() : undefined)));
});

test("a run file that cannot be understood is not overwritten", async () => {
  await writeFile(join(dataDir, "run.json"), "{");
  await expect(takeDataFolder(dataDir, () => {})).rejects.toMatchObject({ code: "DATA_UNREADABLE" });
  await rm(join(dataDir, "run.json"));
});
