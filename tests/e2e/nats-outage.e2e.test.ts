import { setTimeout as delay } from "node:timers/promises";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDownload, getJob } from "../support/download-client.ts";
import { openLedger } from "../support/ledger.ts";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const JOBS = 400;
const OUTAGE_MS = 10_000;
const BUS_TIMEOUT_MS = 2_000;

let nats: OwnServer;
let stack: TestStack;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  stack = await startTestStack({
    servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") },
    env: { NATS_URL: nats.url, BUS_TIMEOUT_MS: `${BUS_TIMEOUT_MS}` },
  });
  await stack.seed(70_000, 1, 1_000);
});
afterAll(async () => {
  await stack?.dispose();
  await nats?.remove();
});

test("NATS dies while jobs run: creates answer 503 in bounded time, and everything accepted before ends", async () => {
  const ledger = await openLedger(nats.url);
  const accepted: string[] = [];
  await inParallel(Array(JOBS).keys(), 50, async () => {
    // The server is killed in mid-load, so that writes are cut off at every possible moment.
    if (accepted.length === JOBS / 2) await nats.kill();
    const answer = await createDownload(stack.baseUrl, [70_000]);
    if (answer.status === 202) accepted.push(answer.body.id);
    else expect(answer).toMatchObject({ status: 503, body: { code: "DEPENDENCY_UNAVAILABLE" } });
  });
  expect(accepted.length).toBeGreaterThanOrEqual(JOBS / 2);

  const killedAt = performance.now();
  const refused = await createDownload(stack.baseUrl, [70_000]);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  // The bound is the bus's time-out, and room for a busy machine.
  expect(refused.ms).toBeLessThan(BUS_TIMEOUT_MS + 5_000);

  const known = await until("a job's view", async () => {
    const answers = await Promise.all(accepted.slice(0, 5).map((id) => getJob(stack.baseUrl, id)));
    return answers.find((answer) => answer.status === 200) ?? null;
  });
  expect(known.body.stale).toBe(true);
  expect(known.headers.get("etag")).toBeNull();

  await delay(OUTAGE_MS - (performance.now() - killedAt));
  await nats.restart();
  await until(
    "every accepted job to end",
    async () => {
      const jobs = await Promise.all(accepted.map((id) => getJob(stack.baseUrl, id)));
      return jobs.every(({ body }) => body.status === "completed");
    },
    60_000,
  );
  const twice = [...ledger.ends].filter(([, ends]) => ends.length > 1);
  expect(twice).toEqual([]);
  await ledger.close();
  expect((await createDownload(stack.baseUrl, [70_000])).status).toBe(202);
});
