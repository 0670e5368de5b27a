import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { until } from "../../../tests/support/until.ts";
import { openSocket } from "./testing/frames.ts";
import { jobSteps } from "./testing/job-steps.ts";
import { pushStoredWrites, startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

const BUS_TIMEOUT_MS = 1000;

let nats: OwnServer;
let gateway: TestGateway;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  const env = { MONGODB_VIEWS_DATABASE: "gateway_outage", BUS_TIMEOUT_MS: String(BUS_TIMEOUT_MS) };
  gateway = await startTestGateway({ natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3: inject("s3"), env });
  pushStoredWrites(gateway);
});

afterAll(async () => {
  await gateway?.close();
  await nats?.remove();
});

const status = (id: string) => fetch(`${gateway.url}/v1/downloads/${id}`);
const create = () => {
  const headers = { "content-type": "application/json" };
  return fetch(`${gateway.url}/v1/downloads`, { method: "POST", headers, body: '{"fileIds":[70000]}' });
};
const createdId = async () => ((await (await create()).json()) as { id: string }).id;

test("while NATS is away: creates fail in time, what is known is shown as stale, and sockets stay", async () => {
  const [watched, viewed, unknown] = [await createdId(), await createdId(), await createdId()];
  expect((await status(watched)).status).toBe(200);
  const stored = await gateway.jobs.newest(viewed);
  if (stored === null) throw new Error("the job is gone");
  await gateway.store.views.upsertMany([viewOf(stored.record, stored.seq, "0".repeat(32), 3600)]);
  const socket = openSocket(`${gateway.url}/v1/downloads/${watched}/ws`);
  await until("the first frame", () => socket.frames.length > 0);

  // Some are on their way when the server dies: they end in time as well, and say that nobody knows.
  const flood = Array.from({ length: 50 }, async () => {
    const startedMs = performance.now();
    const response = await create();
    return { status: response.status, tookMs: performance.now() - startedMs };
  });
  await nats.kill();
  for (const { status, tookMs } of await Promise.all(flood)) {
    expect([202, 503]).toContain(status);
    expect(tookMs).toBeLessThan(BUS_TIMEOUT_MS + 5_000);
  }

  const startedMs = performance.now();
  const refused = await create();
  expect(performance.now() - startedMs).toBeLessThan(BUS_TIMEOUT_MS + 5_000);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await refused.json()).toMatchObject({ code: "DEPENDENCY_UNAVAILABLE", retryable: true });

  for (const id of [watched, viewed]) {
    const response = await status(id);
    expect([response.status, response.headers.get("etag")]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({ id, status: "queued", stale: true });
  }
  expect((await status(unknown)).status).toBe(503);
  await until("the stale frame", () => socket.frames.at(-1)?.job?.stale === true, 5000);

  for (const [method, path] of [
    ["POST", "/cancel"],
    ["POST", "/resume"],
    ["DELETE", ""],
  ] as const) {
    const startedMs = performance.now();
    const answer = await fetch(`${gateway.url}/v1/downloads/${watched}${path}`, { method });
    expect(performance.now() - startedMs).toBeLessThan(BUS_TIMEOUT_MS + 5_000);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
  }

  await nats.restart();
  await until("the connection", () => gateway.bus.connected(), 10_000);
  const seq = await until(
    "a write",
    () =>
      jobSteps(gateway)
        .claim(watched)
        .catch(() => null),
    10_000,
  );
  await until("the frame after the outage", () => socket.frames.at(-1)?.version === `${seq}.0`, 10_000);
  expect(socket.frames.at(-1)?.job?.stale).toBeUndefined();
  const fresh = await status(viewed);
  expect(fresh.headers.get("etag")).toBe(`W/"${stored.seq}.0"`);
  expect((await create()).status).toBe(202);
  socket.close();
});

test("while MongoDB is away: jobs are created and shown, and only who asks for an unknown one is put off", async () => {
  const mongodbUrl = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200";
  const alone = await startTestGateway({
    natsUrl: nats.url,
    mongodbUrl,
    s3: inject("s3"),
    env: { MONGODB_TIMEOUT_MS: "500" },
  });
  const created = await fetch(`${alone.url}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"fileIds":[70000]}',
  });
  const { id } = (await created.json()) as { id: string };
  expect(await (await fetch(`${alone.url}/v1/downloads/${id}`)).json()).toMatchObject({ id, status: "queued" });
  const unknown = await fetch(`${alone.url}/v1/downloads/00000000-0000-4000-8000-000000000000`);
  expect(unknown.status).toBe(503);
  expect(await unknown.json()).toMatchObject({ code: "DEPENDENCY_UNAVAILABLE" });
  for (const [method, path] of [
    ["POST", "/cancel"],
    ["POST", "/retry"],
    ["DELETE", ""],
  ] as const) {
    const answer = await fetch(`${alone.url}/v1/downloads/00000000-0000-4000-8000-000000000000${path}`, { method });
    expect([path, answer.status]).toEqual([path, 503]);
    expect(await answer.json()).not.toHaveProperty("outcome");
  }
  expect((await fetch(`${alone.url}/v1/downloads/${id}/pause`, { method: "POST" })).status).toBe(200);
  const keyed = { "content-type": "application/json", "idempotency-key": "without-views" };
  const again = { method: "POST", headers: keyed, body: '{"fileIds":[70000]}' };
  const jobs = [await fetch(`${alone.url}/v1/downloads`, again), await fetch(`${alone.url}/v1/downloads`, again)];
  expect(jobs.map((job) => [job.status, job.headers.get("idempotent-replayed")])).toEqual([
    [202, null],
    [202, "true"],
  ]);
  expect((await fetch(`${alone.url}/v1/downloads/${id}`, { method: "DELETE" })).status).toBe(204);
  await alone.close();
});
