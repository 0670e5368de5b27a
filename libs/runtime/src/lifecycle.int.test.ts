import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

/** A service whose boot is the given JavaScript. */
const serviceOf = (boot: string) => `
  import { z } from "zod";
  import { BootError, runService, serviceConfig } from "@longhaul/runtime";
  await runService("probe", z.object(serviceConfig({ shutdownGraceMs: 5000 })), async ({ health, log, releasers, signal, step }) => {
    ${boot}
  });`;

class Service {
  output = "";
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;

  constructor(boot: string, { env = {}, ipc = false }: { env?: Record<string, string>; ipc?: boolean } = {}) {
    this.process = spawn(process.execPath, ["--input-type=module", "-e", serviceOf(boot)], {
      cwd: import.meta.dirname,
      env: { METRICS_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc" as const] : [])],
    });
    running.add(this.process);
    const outputs = [this.process.stdout, this.process.stderr].filter((stream) => stream !== null);
    for (const stream of outputs) stream.on("data", (data) => (this.output += data));
    // Not the event `close`: it does not come after the IPC channel was cut from this side.
    const closed = outputs.map((stream) => once(stream, "close"));
    this.exit = once(this.process, "exit").then(async ([code]) => {
      await Promise.all(closed);
      return code;
    });
  }

  async said(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.output).toContain(text), { timeout: 10_000, interval: 20 });
  }

  get port(): string {
    return /"metricsPort":(\d+),"msg":"ready"/.exec(this.output)?.[1] ?? "none";
  }
}

const READY = '"msg":"ready"';

test("an orderly end: draining is shown, the signal comes first, the last opened is closed first, exit code 0", async () => {
  const service = new Service(`
    signal.addEventListener("abort", () => log.info("told to stop"));
    releasers.defer("a", () => log.info("closed a"));
    releasers.defer("b", async () => { log.info("closing b"); await new Promise((resolve) => setTimeout(resolve, 500)); });
  `);
  await service.said(READY);
  const base = `http://127.0.0.1:${service.port}`;
  expect((await fetch(`${base}/health/ready`)).status).toBe(200);
  expect(await (await fetch(`${base}/metrics`)).text()).toContain("process_cpu_seconds_total");
  service.process.kill("SIGTERM");
  await service.said("closing b");
  const draining = await fetch(`${base}/health/ready`);
  expect(draining.status).toBe(503);
  expect(await draining.json()).toMatchObject({ status: "draining" });
  expect(await service.exit).toBe(0);
  expect(service.output).toMatch(/told to stop[\s\S]*closing b[\s\S]*closed a[\s\S]*"stopped"/);
});

test("a release that fails makes the exit code 1", async () => {
  const service = new Service(`releasers.defer("a", () => { throw new Error("stuck lid"); });`);
  await service.said(READY);
  service.process.kill("SIGINT");
  expect(await service.exit).toBe(1);
  expect(service.output).toContain("stuck lid");
});

test("a release that does not end is left at the deadline", async () => {
  const service = new Service(`releasers.defer("a", () => new Promise(() => {}));`, {
    env: { SHUTDOWN_GRACE_MS: "200" },
  });
  await service.said(READY);
  service.process.kill("SIGTERM");
  expect(await service.exit).toBe(1);
});

test("the second signal forces the end, and the exit code says so", async () => {
  const service = new Service(`releasers.defer("a", () => new Promise(() => { log.info("hanging"); }));`);
  await service.said(READY);
  service.process.kill("SIGTERM");
  await service.said("hanging");
  service.process.kill("SIGINT");
  expect(await service.exit).toBe(130);
});

test("a boot that fails half-way closes what it had opened and tells people what to do", async () => {
  const service = new Service(`
    releasers.defer("a", () => log.info("closed a"));
    await step("check the streams", async () => { throw new BootError("JOBS is missing: run npm run migrate.", { code: "X" }); });
  `);
  expect(await service.exit).toBe(1);
  expect(service.output).toContain("closed a");
  expect(service.output).toMatch(/^probe stops, because the start failed\. JOBS is missing: run npm run migrate\.$/m);
});

test("a signal during the boot ends it", async () => {
  const service = new Service(`
    releasers.defer("a", () => log.info("closed a"));
    log.info("booting");
    await new Promise(() => {});
  `);
  await service.said("booting");
  service.process.kill("SIGTERM");
  expect(await service.exit).toBe(0);
  expect(service.output).toContain("closed a");
});

test("a process whose parent goes away ends in order", async () => {
  const service = new Service(`releasers.defer("a", () => log.info("closed a"));`, { ipc: true });
  await service.said(READY);
  service.process.disconnect();
  expect(await service.exit).toBe(0);
  expect(service.output).toContain("closed a");
});

test("an error that nobody caught ends the process in order, with exit code 1", async () => {
  const service = new Service(`
    releasers.defer("a", () => log.info("closed a"));
    setTimeout(() => Promise.reject(new Error("nobody looks")), 50);
  `);
  expect(await service.exit).toBe(1);
  expect(service.output).toMatch(/nobody looks[\s\S]*closed a/);
});

test("wrong settings end in one message and exit code 78", async () => {
  const service = new Service("", { env: { METRICS_PORT: "x", LOG_LEVEL: "loud" } });
  expect(await service.exit).toBe(78);
  expect(service.output).toMatch(/METRICS_PORT[\s\S]*LOG_LEVEL/);
  expect(service.output).not.toContain("    at ");
});

test("a metrics port that is taken is named", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const service = new Service("", { env: { METRICS_PORT: port } });
  expect(await service.exit).toBe(1);
  expect(service.output).toContain(`127.0.0.1:${port}`);
  other.close();
});
