import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cacheDirectory } from "../servers/cache.ts";
import { findServer } from "../servers/find-server.ts";
import { planNats } from "../servers/nats.ts";
import { startSupervised } from "./supervised-process.ts";
import { until } from "./until.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

let dataDir = "";
let watchdog: Watchdog;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "longhaul-supervised-"));
  watchdog = startWatchdog();
});
afterAll(async () => {
  watchdog.dismiss();
  await rm(dataDir, { recursive: true, force: true });
});

async function natsPlan() {
  const server = await findServer("nats", { env: environment, cacheDir: cacheDirectory(environment), say: () => {} });
  return planNats({ server, dataDir, logDir: dataDir, env: environment });
}

test("a server that is killed comes back on the same port, and stays away once it is stopped", async () => {
  const { spec } = await natsPlan();
  let changes = 0;
  const nats = await startSupervised(spec, { watchdog, say: () => {}, onChange: () => changes++ });
  const first = nats.pid() ?? 0;
  expect(await spec.ready()).toBe(true);

  process.kill(first, "SIGKILL");
  expect(await until(() => nats.pid() !== first && nats.pid() !== null && spec.ready(), { timeoutMs: 15_000 })).toBe(
    true,
  );
  expect(changes).toBeGreaterThanOrEqual(3);

  await nats.stop();
  expect(nats.pid()).toBeNull();
  expect(await spec.ready()).toBe(false);
});

test("a program that ends while it starts is an error that shows its log, and nothing that an earlier run wrote", async () => {
  const { spec } = await natsPlan();
  const startSaying = (words: string) => {
    const logFile = join(dataDir, "broken.log");
    const broken = { ...spec, command: "sh", args: ["-c", `${words && `echo ${words} >&2; `}exit 1`], logFile };
    return startSupervised(broken, { watchdog, say: () => {}, onChange: () => {} });
  };
  for (const words of ["wrong settings", "no room", ""]) {
    await expect(startSaying(words)).rejects.toMatchObject({
      code: "ENDED_AT_START",
      message: expect.stringMatching(new RegExp(`broken\\.log\\):\n *${words}$`)),
    });
  }
});

test("a program that ends because its settings are wrong is reported and not started again", async () => {
  const { spec } = await natsPlan();
  const starts = join(dataDir, "starts");
  // The first time it is ready, and ends when it is told to.
  const script = `trap 'exit 78' USR1; echo started >> '${starts}'; while :; do sleep 0.05; done`;
  const wrong = {
    ...spec,
    ...{ command: "sh", args: ["-c", script], logFile: join(dataDir, "wrong.log") },
    ready: async () => existsSync(starts),
  };
  const said: string[] = [];
  const process = await startSupervised(wrong, { watchdog, say: (line) => said.push(line), onChange: () => {} });
  globalThis.process.kill(process.pid() ?? 0, "SIGUSR1");
  expect(await until(() => said.length > 0, { timeoutMs: 15_000 })).toBe(true);
  expect(said).toEqual([expect.stringContaining("settings are wrong, and is not started again")]);

  expect(await until(() => process.pid() !== null, { timeoutMs: 1_000 })).toBe(false);
  expect(readFileSync(starts, "utf8")).toBe("started\n");
  await process.stop();
});
