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

test("a loop that waits for its restart makes the service degraded", async () => {
  const { health } = await registry({ nats: up, s3: up });
  health.phase = "ready";
  health.watchLoops(() => [{ name: "pull", status: "waiting", restarts: 1 }]);
  expect(health.ready().body).toMatchObject({ status: "degraded" });
});
