import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type Bus, connectBus } from "@longhaul/bus";
import { createLogger, environment, inParallel } from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { freePorts } from "../../../deploy/local/src/supervisor/ports.ts";
import { type JobWriter, jobWriter, type Written } from "../../../tests/support/job-writer.ts";
import { ACK_WAIT_MS, migrate, recordsBeside } from "../../../tests/support/migrated.ts";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";

const log = createLogger("test", "silent");
const config = {
  mongodbUrl: inject("mongodbUrl"),
  mongodbViewsDatabase: `notifier_stop_${randomUUID().slice(0, 8)}`,
  mongodbTimeoutMs: 5000,
  mongodbMaxPoolSize: 10,
};
const children: ChildProcess[] = [];
let nats: OwnServer;
let bus: Bus;
let store: Store;
let writer: JobWriter;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  bus = await connectBus({ servers: [nats.url], name: "test", log });
  store = connectStore(config, log);
  await migrate(bus, config);
  writer = jobWriter(bus);
});

afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
  await store.close();
  await bus.close();
  const client = new MongoClient(config.mongodbUrl);
  await client.db(config.mongodbViewsDatabase).dropDatabase();
  await client.db(recordsBeside(config)).dropDatabase();
  await client.close();
  await nats.remove();
});

type Service = { child: ChildProcess; output: () => string; fetchOps: (path: string) => Promise<Response> };

async function startService(settings: Record<string, string> = {}): Promise<Service> {
  const [port = 0] = await freePorts(1);
  const env = {
    PATH: environment.PATH,
    NATS_URL: nats.url,
    MONGODB_URL: config.mongodbUrl,
    MONGODB_VIEWS_DATABASE: config.mongodbViewsDatabase,
    MONGODB_RECORDS_DATABASE: recordsBeside(config),
    ACK_WAIT_MS: `${ACK_WAIT_MS}`,
    PROJECTOR_BATCH: "20",
    PROJECTOR_PAUSE_MS: "0",
    METRICS_PORT: `${port}`,
    ...settings,
  };
  const child = spawn(process.execPath, [new URL("main.ts", import.meta.url).pathname], { env });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return { child, output: () => output, fetchOps: (path) => fetch(`http://127.0.0.1:${port}${path}`) };
}

async function ready(service: Service): Promise<Service> {
  await until(`a ready notifier\n${service.output()}`, () =>
    service.fetchOps("/health/ready").then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  return service;
}

async function ended({ child }: Service): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

test.each([
  ["SIGTERM", "ends the process in order", 0],
  ["SIGKILL", "leaves no time for anything", null],
] as const)("%s under load %s, and the next notifier loses nothing", async (signal, _, exitCode) => {
  const first = await ready(await startService());
  const written: Written[] = [];
  const load = inParallel(Array(80).keys(), 10, async () => {
    written.push(await writer.complete(await writer.claim(await writer.create())));
  });
  await until("some load", () => written.length > 25);

  first.child.kill(signal);
  expect(await ended(first), first.output()).toBe(exitCode);
  await load;
  const second = await ready(await startService());

  for (const { id, seq } of written) {
    await until(`the view of ${id}`, async () => (await store.views.get(id))?.seq === seq);
  }
  const metrics = await (await second.fetchOps("/metrics")).text();
  expect(metrics).toMatch(/^download_projection_lag_seconds\{service="notifier"\} [\d.]+$/m);
  expect(metrics).toMatch(/^dependency_up\{dependency="mongodb",service="notifier"\} 1$/m);
  second.child.kill("SIGTERM");
  expect(await ended(second), second.output()).toBe(0);
});

test("without its indexes it does not start, and says what to run", async () => {
  const service = await startService({ MONGODB_VIEWS_DATABASE: `${config.mongodbViewsDatabase}_empty` });
  expect(await ended(service)).toBe(1);
  expect(service.output()).toContain("run `npm run migrate`");
});
