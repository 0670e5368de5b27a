import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../../../tests/support/own-server.ts";
import { until } from "../../../../../tests/support/until.ts";
import { type JobSteps, jobSteps } from "../../testing/job-steps.ts";
import { pushStoredWrites, startTestGateway, type TestGateway } from "../../testing/test-gateway.ts";

let nats: OwnServer;
let gateway: TestGateway;
let steps: JobSteps;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  const env = { MONGODB_VIEWS_DATABASE: "gateway_content" };
  gateway = await startTestGateway({ natsUrl: nats.url, mongodbUrl: inject("mongodbUrl"), s3: inject("s3"), env });
  steps = jobSteps(gateway);
  pushStoredWrites(gateway);
});

afterAll(async () => {
  await gateway?.close();
  await nats?.remove();
});

const content = (id: string, init?: RequestInit, query = "") =>
  fetch(`${gateway.url}/v1/downloads/${id}/content${query}`, { redirect: "manual", ...init });

async function createJob(): Promise<string> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: '{"fileIds":[70000]}' };
  return ((await (await fetch(`${gateway.url}/v1/downloads`, init)).json()) as { id: string }).id;
}

async function refusal(response: Response): Promise<[number, string]> {
  expect(response.headers.get("cache-control")).toBe("no-store");
  return [response.status, ((await response.json()) as { code: string }).code];
}

test("the signed URL brings the bytes, under their name", async () => {
  const key = `downloads/${randomUUID()}.zip`;
  await gateway.objects.source.put(key, Buffer.from("nine byte"), { sizeBytes: 9, contentType: "application/zip" });
  const id = await createJob();
  await steps.claim(id);
  await steps.complete(id, { key, filename: "Löwe.zip" });

  const redirect = await content(id);
  expect(redirect.status).toBe(303);
  expect(redirect.headers.get("cache-control")).toBe("no-store");
  expect(redirect.headers.get("referrer-policy")).toBe("no-referrer");
  const file = await fetch(redirect.headers.get("location") ?? "");
  expect(await file.text()).toBe("nine byte");
  expect(file.headers.get("content-disposition")).toContain("filename*=UTF-8''L%C3%B6we.zip");
  expect(file.headers.get("content-type")).toBe("application/zip");

  for (const json of [
    await content(id, { headers: { accept: "application/json" } }),
    await content(id, {}, "?redirect=false"),
  ]) {
    expect(json.status).toBe(200);
    const link = (await json.json()) as { url: string; expiresInSeconds: number; sizeBytes: number };
    expect(link).toMatchObject({ sizeBytes: 9, expiresInSeconds: 900, filename: "Löwe.zip" });
    expect(await (await fetch(link.url)).text()).toBe("nine byte");
  }

  const head = await content(id, { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers.get("content-length")).toBe("9");
  expect(head.headers.get("etag")).toMatch(/^"/);
  expect(head.headers.get("content-disposition")).toContain("L%C3%B6we.zip");
});

test("a job without a file to hand out says why", async () => {
  const id = await createJob();
  const early = await content(id);
  expect(early.headers.get("retry-after")).toBe("2");
  expect(await refusal(early)).toEqual([409, "NOT_READY"]);
  await steps.fail(id);
  // The push is on its way.
  const failed = await until("the end", async () => {
    const [status, code] = await refusal(await content(id));
    return code !== "NOT_READY" && [status, code];
  });
  expect(failed).toEqual([409, "JOB_FAILED"]);

  const cancelled = await createJob();
  await steps.command(cancelled, "cancel");
  expect(await refusal(await content(cancelled))).toEqual([410, "JOB_CANCELLED"]);

  const expired = await createJob();
  await steps.complete(expired);
  await steps.command(expired, "expire");
  expect(await refusal(await content(expired))).toEqual([410, "RESULT_EXPIRED"]);

  const overdue = await createJob();
  await steps.complete(overdue, { expiresAt: new Date(Date.now() - 1000).toISOString() });
  expect(await refusal(await content(overdue))).toEqual([410, "RESULT_EXPIRED"]);

  const erased = await createJob();
  await steps.command(erased, "erase");
  expect(await refusal(await content(erased))).toEqual([404, "NOT_FOUND"]);
  expect(await refusal(await content(id, { headers: { "x-user-id": "eve" } }))).toEqual([404, "NOT_FOUND"]);
  expect((await content(id, {}, "?redirect=maybe")).status).toBe(400);
});

test.for([
  [403, {}, "2"],
  [429, { "retry-after": "7" }, "7"],
] as const)(
  "an object storage that answers %i is away, and HEAD is told when to come again",
  async ([status, headers, retryAfter]) => {
    const id = await createJob();
    await steps.complete(id);
    const store = createServer((_, response) => response.writeHead(status, headers).end());
    await once(store.listen(0, "127.0.0.1"), "listening");
    const { port } = store.address() as AddressInfo;
    const refused = await startTestGateway({
      natsUrl: nats.url,
      mongodbUrl: inject("mongodbUrl"),
      s3: { ...inject("s3"), endpoint: `http://127.0.0.1:${port}` },
    });
    const response = await fetch(`${refused.url}/v1/downloads/${id}/content`, { method: "HEAD" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, retryAfter]);
    await refused.close();
    store.close();
  },
);

test("while the store of the sources is away, only files that are handed out from there are not to be had", async () => {
  const [borrowed, owned] = [await createJob(), await createJob()];
  for (const id of [borrowed, owned]) await steps.claim(id);
  await steps.complete(borrowed);
  await steps.complete(owned, { kind: "owned", key: `results/default/${owned}/x` });
  const statuses = async () => [(await content(borrowed)).status, (await content(owned)).status];
  gateway.health.expectReports("source_s3");
  gateway.health.report("source_s3", "down");
  expect(await statuses()).toEqual([503, 303]);
  gateway.health.report("source_s3", "up");
  expect(await statuses()).toEqual([303, 303]);
});

test("a job that has left JOBS is shown from its view", async () => {
  const id = randomUUID();
  const source = await createJob();
  await steps.fail(source);
  const stored = await gateway.jobs.newest(source);
  if (stored === null || stored.record.status === "erased") throw new Error("the job is gone");
  const record = { ...stored.record, id };
  await gateway.store.views.upsertMany([viewOf(record, 7, "0".repeat(32), 3600)]);
  const response = await fetch(`${gateway.url}/v1/downloads/${id}`);
  expect([response.status, response.headers.get("etag")]).toEqual([200, 'W/"7.0"']);
  const job = (await response.json()) as { status: string; stale?: true };
  expect(job).toMatchObject({ id, status: "failed" });
  expect(job.stale).toBeUndefined();
});
