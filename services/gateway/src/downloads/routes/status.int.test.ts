import { apiJob, type JobRecord } from "@longhaul/contracts";
import { claim } from "@longhaul/job";
import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { problemOf, requestsTo } from "../../testing/requests.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";

const DOWNLOADS = "/v1/downloads";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startOwnGateway({ MONGODB_VIEWS_DATABASE: "gateway_status", PUBLIC_URL: "https://files.example" });
});

afterAll(() => gateway?.close());

const { call, post } = requestsTo(() => gateway);

test("the version is the ETag, and what is known is not sent again", async () => {
  const job = apiJob.parse(await (await post({ fileIds: [70_000] })).json());
  const first = await call(job.links.self);
  expect(first.status).toBe(200);
  expect(first.headers.get("etag")).toBe(`W/"${job.version}"`);
  expect(first.headers.get("cache-control")).toBe("private, no-cache");
  expect(apiJob.parse(await first.json())).toEqual(job);

  const status = async (etag: string) => (await call(job.links.self, { headers: { "if-none-match": etag } })).status;
  const [seq] = job.version.split(".");
  expect(await status(`W/"${job.version}"`)).toBe(304);
  expect(await status(`"${job.version}"`)).toBe(304);
  expect(await status(`W/"1.0", W/"${job.version}"`)).toBe(304);
  expect(await status("*")).toBe(304);
  // More progress at our write was heard on another gateway: not newer.
  expect(await status(`W/"${seq}.7"`)).toBe(304);
  // A write that the leader does not know counts as no version at all.
  expect(await status(`W/"${Number(seq) + 1000}.0"`)).toBe(200);
  expect(await status('W/"nonsense"')).toBe(200);
  expect(await status(`W/"${Number(seq) - 1}.9"`)).toBe(200);
});

/** Claims the job as a worker does; gives what is stored then. */
async function claimed(id: string): Promise<{ seq: number; record: JobRecord }> {
  const stored = await gateway.jobs.newest(id);
  const run = { id: "r1", worker: "w1", item: 1, startedAt: new Date().toISOString() };
  const change = claim(stored?.record as JobRecord, { run, key: null, now: new Date() });
  const put = await gateway.jobs.put(id, stored?.seq ?? 0, change, {
    deadlineMs: 2000,
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    source: "/test",
  });
  return { seq: put.kind === "done" ? put.seq : 0, record: change.record as JobRecord };
}

test("the first look at a running job has the progress that only others have heard of", async () => {
  const job = apiJob.parse(await (await post({ fileIds: [70_000] })).json());
  const { seq, record } = await claimed(job.id);
  await gateway.store.views.upsertMany([viewOf(record, seq, "0".repeat(32), 3600)]);
  const progress = { ...record.progress, bytesDone: 40, bytesTotal: 100, phase: "reading" as const };
  await gateway.store.views.writeProgress([{ id: job.id, seq, n: 3, progress }]);
  expect(await (await call(job.links.self)).json()).toMatchObject({
    version: `${seq}.3`,
    progress: { bytesDone: 40, bytesTotal: 100, phase: "reading" },
  });
});

test("a write is seen by whoever names its version, although nothing was pushed", async () => {
  const job = apiJob.parse(await (await post({ fileIds: [70_000] })).json());
  await call(job.links.self);
  const { seq } = await claimed(job.id);
  const response = await call(job.links.self, { headers: { "if-none-match": `W/"${seq}.0"` } });
  expect(response.status).toBe(304);
  expect(await (await call(job.links.self)).json()).toMatchObject({ status: "processing", version: `${seq}.0` });
});

test("unknown ids, other people's jobs and ids of another shape look the same", async () => {
  const job = apiJob.parse(await (await post({ fileIds: [70_000] }, { "x-user-id": "ada" })).json());
  const paths = [job.id, "00000000-0000-4000-8000-000000000000", "x", "%20", `${job.id}0`, "..%2f", "%zz"];
  for (const id of paths) {
    const response = await call(`${DOWNLOADS}/${id}`, { headers: { "x-user-id": "eve" } });
    expect([id, response.status]).toEqual([id, 404]);
    expect((await problemOf(response)).code).toBe("NOT_FOUND");
  }
  expect((await call(`${DOWNLOADS}/${job.id.toUpperCase()}`, { headers: { "x-user-id": "ada" } })).status).toBe(200);
});
