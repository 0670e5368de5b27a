import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { environment } from "@longhaul/runtime";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../chaos/main.ts", import.meta.url));
const MINUTES = "0.2";
const SEED = "3";
const PATIENCE_MS = 300_000;

test("a stack that is ill-treated loses, doubles and leaks nothing", { timeout: PATIENCE_MS }, async () => {
  const args = [MAIN, "--minutes", MINUTES, "--seed", SEED];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: environment,
    timeout: PATIENCE_MS,
  }).catch((error: { stdout: string; stderr: string }) => expect.fail(`${error.stdout}\n${error.stderr}`));
  expect(stdout).toContain("Nothing was lost, doubled, stuck or leaked.");
  expect(stdout).toMatch(/with (nothing else|more than that) wrong: \d+ jobs/);
});
