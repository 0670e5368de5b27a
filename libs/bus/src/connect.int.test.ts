import { createMetrics, HealthRegistry } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { startTcpProxy } from "../../../tests/support/tcp-proxy.ts";
import { until } from "../../../tests/support/until.ts";
import { type BusStatus, connectBus } from "./connect.ts";
import { connectTo, migrate, silent } from "./testing/fixtures.ts";
import { watchBus } from "./watch-bus.ts";

let server: OwnServer;

beforeAll(async () => {
  server = await startOwnServer("nats");
  const bus = await connectTo(server.url);
  await migrate(bus);
  await bus.close();
});
afterAll(() => server?.remove());

test("a server that is not there is said in time, with what to do", async () => {
  const servers = ["nats://127.0.0.1:1"];
  await expect(connectBus({ servers, name: "test", log: silent, bootTimeoutMs: 700 })).rejects.toMatchObject({
    code: "BUS_UNREACHABLE",
    message: expect.stringMatching(/nats:\/\/127\.0\.0\.1:1.*700 ms.*NATS_URL/),
  });
});

test("a server that comes up during the boot is waited for", async () => {
  await server.kill();
  const connecting = connectTo(server.url);
  await server.restart();
  const bus = await connecting;
  expect(await bus.ping(1_000)).toBeLessThan(1_000);
  await bus.close();
});

test("requests in flight fail at the moment of a disconnect, later ones at once, and all is well after it", async () => {
  const proxy = await startTcpProxy(server.port);
  const bus = await connectTo(`nats://127.0.0.1:${proxy.port}`);
  const seen: BusStatus[] = [];
  bus.onStatus((status) => seen.push(status));
  const ask = () => bus.requests.request("$JS.API.STREAM.INFO.JOBS", "", { timeoutMs: 60_000 });
  try {
    proxy.swallowAnswers();
    const asked = Array.from({ length: 100 }, ask);
    proxy.cut();
    const results = await Promise.allSettled(asked);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    await expect(ask()).rejects.toMatchObject({ code: "DISCONNECTED" });
    await expect(bus.ping(1_000)).rejects.toMatchObject({ code: "DISCONNECTED" });

    await until("it is connected again", () => bus.connected());
    await ask();
    expect(seen).toEqual(["disconnected", "connected"]);
    expect(bus.requests.inFlight).toBe(0);
  } finally {
    await bus.close();
    await proxy.close();
  }
});

test("a refusal of a read of many is an error, never an empty answer", async () => {
  const bus = await connectTo(server.url);
  const ask = (query: string) => bus.requests.requestMany("$JS.API.DIRECT.GET.JOBS", query, { timeoutMs: 10_000 });
  try {
    expect(await ask(JSON.stringify({ multi_last: ["download.job.nobody"] }))).toEqual([]);
    await expect(ask("{")).rejects.toMatchObject({ code: "REJECTED" });
  } finally {
    await bus.close();
  }
});

test("health tells of a lost connection and of its return at once, not at the next ping", async () => {
  const proxy = await startTcpProxy(server.port);
  const bus = await connectTo(`nats://127.0.0.1:${proxy.port}`);
  const health = new HealthRegistry(createMetrics("test").registry);
  const nats = () => health.checks().nats;
  try {
    // Nobody pings after this: `health.run` is not started.
    await watchBus(bus, health);
    expect(nats()).toMatchObject({ status: "up", critical: true });
    const status: unknown[] = [];
    bus.onStatus(() => status.push(nats()?.status));
    proxy.cut();
    await until("it is connected again", () => status.length >= 2);
    expect(status).toEqual(["down", "up"]);
  } finally {
    await bus.close();
    await proxy.close();
  }
});

test("an answer that does not come is a time-out; a bounded number is awaited at once", async () => {
  const proxy = await startTcpProxy(server.port);
  const bus = await connectTo(`nats://127.0.0.1:${proxy.port}`);
  try {
    proxy.swallowAnswers();
    const asked = Array.from({ length: 5_000 }, () =>
      bus.requests.request("$JS.API.STREAM.INFO.JOBS", "", { timeoutMs: 200 }).catch(({ code }) => code),
    );
    const codes = await Promise.all(asked);
    expect(codes.filter((code) => code === "TIMEOUT")).toHaveLength(4_096);
    expect(codes.filter((code) => code === "OVERLOADED")).toHaveLength(904);
  } finally {
    // A server that says nothing answers no drain either.
    await bus.close(100);
    await proxy.close();
  }
});

test("where nobody listens, that is the answer", async () => {
  const bus = await connectTo(server.url);
  const asked = bus.requests.request("nobody.listens.here", "", { timeoutMs: 5_000 });
  await expect(asked).rejects.toMatchObject({ code: "NO_RESPONDERS" });
  await bus.close();
  await expect(bus.requests.request("closed", "", { timeoutMs: 5_000 })).rejects.toMatchObject({ code: "CLOSED" });
});
