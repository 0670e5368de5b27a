import { expect, test } from "vitest";
import { HealthRegistry } from "./health.ts";
import { createMetrics } from "./metrics.ts";

const up = async () => undefined;
const down = async () => {
  throw new Error("away");
};

async function registry(pings: { nats: () => Promise<unknown>; s3: () => Promise<unknown> }) {
  const { registry: metrics } = createMetrics("test");
  const health = new HealthRegistry(metrics);
  await health.watch("nats", { critical: true, ping: pings.nats });
  await health.watch("s3", { critical: false, ping: pings.s3 });
  return { health, metrics };
}

test("ready answers 503 only while starting or draining", async () => {
  const { health } = await registry({ nats: up, s3: up });
  expect(health.ready()).toMatchObject({ httpStatus: 503, body: { status: "starting" } });
  health.phase = "ready";
  expect(health.ready()).toMatchObject({ httpStatus: 200, body: { status: "ready" } });
  health.phase = "draining";
  expect(health.ready()).toMatchObject({ httpStatus: 503, body: { status: "draining" } });
  expect(health.live()).toEqual({ httpStatus: 200, body: { status: "ok" } });
});

test("a dependency that is away makes the service degraded, and it stays in", async () => {
  const { health, metrics } = await registry({ nats: down, s3: up });
  health.phase = "ready";
  expect(health.ready()).toEqual({
    httpStatus: 200,
    body: {
      status: "degraded",
      checks: {
        nats: { status: "down", latencyMs: null, since: expect.any(String), critical: true },
        s3: { status: "up", latencyMs: expect.any(Number), since: expect.any(String), critical: false },
      },
    },
  });
  expect(health.summary().body).toMatchObject({ status: "unhealthy", checks: { storage: "ok" } });
  expect(await metrics.metrics()).toMatch(/dependency_up\{dependency="nats",service="test"\} 0/);
});

test("the summary tells a broken service from one that only lacks something", async () => {
  const { health } = await registry({ nats: up, s3: down });
  health.phase = "ready";
  expect(health.summary()).toMatchObject({
    httpStatus: 200,
    body: { status: "degraded", checks: { storage: "error" }, version: expect.any(String), uptimeSeconds: 0 },
  });
  health.report("s3", "up");
  expect(health.summary().body).toMatchObject({ status: "healthy" });
});

test("what nobody pings is up until it is reported down, and what is pinged stays pinged", async () => {
  const { health, metrics } = await registry({ nats: up, s3: down });
  health.phase = "ready";
  health.report("source_http", "down");
  expect(health.checks().source_http).toBeUndefined();
  for (const name of ["source_http", "s3"]) health.expectReports(name);
  expect(health.checks()).toMatchObject({
    source_http: { status: "up", latencyMs: null, critical: false },
    s3: { status: "down" },
  });
  expect(await metrics.metrics()).toMatch(/dependency_up\{dependency="source_http",service="test"\} 1/);
  health.report("s3", "up");
  health.report("source_http", "down");
  expect(health.ready().body).toMatchObject({ status: "degraded", checks: { source_http: { status: "down" } } });
});

test("a loop that waits for its restart makes the service degraded", async () => {
  const { health } = await registry({ nats: up, s3: up });
  health.phase = "ready";
  health.watchLoops(() => [{ name: "pull", status: "waiting", restarts: 1 }]);
  expect(health.ready().body).toMatchObject({ status: "degraded" });
});
