import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { processInfo } from "./process-info.ts";
import { until } from "./until.ts";

const SUPERVISOR = `
import { spawn } from "node:child_process";
import { startWatchdog } from ${JSON.stringify(new URL("watchdog.ts", import.meta.url).href)};
const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
startWatchdog().add("server", child.pid);
console.log(child.pid);
setInterval(() => {}, 1000);
`;

test("what a killed supervisor leaves behind is ended", async () => {
  const supervisor = spawn(process.execPath, ["--input-type=module", "--eval", SUPERVISOR], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: supervisor.stdout }), "line");
  const pid = Number(line);
  expect(await processInfo(pid)).toMatchObject({ commandLine: expect.stringContaining("sleep 600") });

  supervisor.kill("SIGKILL");
  expect(await until(async () => (await processInfo(pid)) === null, { timeoutMs: 15_000 })).toBe(true);
});
