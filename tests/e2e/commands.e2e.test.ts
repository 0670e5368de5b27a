import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environment } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePorts } from "../../deploy/local/src/supervisor/ports.ts";
import { createDownload, getJob } from "../support/download-client.ts";
import { until } from "../support/until.ts";

/** The commands of the README, as their npm scripts run them, in an empty folder and with servers of their own. */
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const READY_WITHIN_MS = 90_000;

type Command = { child: ChildProcess; output(): string; exitCode: Promise<number | null> };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longhaul-commands-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function command(name: string, ...flags: string[]): Promise<Command> {
  const { scripts } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8"));
  const args = scripts[name]
    .split(" ")
    .slice(1)
    .map((arg: string) => (/^(\.\/)?deploy\//.test(arg) ? join(REPOSITORY, arg) : arg));
  const { NATS_URL, MONGODB_URL, S3_ENDPOINT, ...env } = environment;
  const child = spawn(process.execPath, [...args, ...flags], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
  return { child, output: () => output, exitCode: once(child, "exit").then(([code]) => code) };
}

test("npm run demo shows a download that survives the death of its processor", async () => {
  const demo = await command("demo");
  expect(await demo.exitCode, demo.output()).toBe(0);
  expect(demo.output()).toContain("SIGKILL to the processor");
  expect(demo.output()).toContain("8 of 8 entries equal their sources");
  expect(await readdir(join(folder, "longhaul-demo"))).toEqual([expect.stringMatching(/^download_.*\.zip$/)]);
});

test("npm start serves until Ctrl-C; a second start on its data finds the jobs, and refuses while the first runs", async () => {
  const [port = 0] = await freePorts(1);
  const flags = ["--data", "data", "--port", `${port}`];
  const baseUrl = `http://127.0.0.1:${port}`;
  const started = async () => {
    const start = await command("start", ...flags);
    await until("npm start to be ready", () => start.output().trimEnd().endsWith(`ready ${baseUrl}`), READY_WITHIN_MS);
    return start;
  };
  const first = await started();
  const seed = await command("seed", "--data", "data", "--files", "2", "--bytes", "1000");
  expect(await seed.exitCode, seed.output()).toBe(0);
  expect(seed.output()).toContain("first id 70000, last id 70001");
  const { body: job } = await createDownload(baseUrl, [70_000, 70_001]);
  const ended = () => getJob(baseUrl, job.id).then(({ body }) => body.status === "completed" && body);
  const before = await until("the job to end", ended);

  const refused = await command("start", ...flags);
  expect(await refused.exitCode).toBe(1);
  expect(refused.output()).toContain(`process ${first.child.pid}`);

  first.child.kill("SIGINT");
  expect(await first.exitCode, first.output()).toBe(0);
  const second = await started();
  expect((await getJob(baseUrl, job.id)).body).toEqual(before);
  second.child.kill("SIGINT");
  expect(await second.exitCode, second.output()).toBe(0);
});
