import type { ApiJob, JobRecord } from "@longhaul/contracts";
import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { until } from "../../../../../tests/support/until.ts";
import { type JobSteps, jobSteps } from "../../testing/job-steps.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";
import { workItemOf } from "../../testing/work-items.ts";

let gateway: TestGateway;
let steps: JobSteps;

beforeAll(async () => {
  const env = { MONGODB_VIEWS_DATABASE: "gateway_create" };
  gateway = await startOwnGateway(env);
  steps = jobSteps(gateway);
});

afterAll(() => gateway?.close());

async function create(key: string, body: unknown = { fileIds: [70_000] }, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key, ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    replayed: response.headers.get("idempotent-replayed"),
    expires: response.headers.get("idempotency-key-expires"),
    location: response.headers.get("location"),
    body: (await response.json()) as ApiJob & { code: string; errors?: object[] },
  };
}

const remove = (id: string) => fetch(`${gateway.url}/v1/downloads/${id}`, { method: "DELETE" });

test("a repeat is answered with the job as it is now", async () => {
  const first = await create("repeat");
  expect(first).toMatchObject({ status: 202, replayed: null, body: { status: "queued" } });
  expect(first.location).toBe(`${gateway.url}/v1/downloads/${first.body.id}`);
  const day = Date.parse(first.expires ?? "") - Date.parse(first.body.createdAt);
  expect(day).toBe(86_400_000);

  expect(await create('"repeat"')).toEqual({ ...first, replayed: "true" });
  await steps.claim(first.body.id);
  const later = await create("repeat", { fileIds: [70_000, 70_000], priority: 5, archive: "auto" });
  expect(later).toMatchObject({ status: 202, replayed: "true", location: first.location, expires: first.expires });
  expect(later.body).toMatchObject({ id: first.body.id, status: "processing" });
  await steps.complete(first.body.id);
  expect(await create("repeat")).toMatchObject({ status: 202, replayed: "true", body: { status: "completed" } });
});

test("a repeat of a queued job puts its work item again", async () => {
  const { body } = await create("item");
  const record = (await gateway.jobs.newest(body.id))?.record as JobRecord;
  await until("the item", () => workItemOf(gateway, record));
  await gateway.bus.requests.request(
    "$JS.API.STREAM.PURGE.WORK",
    JSON.stringify({ filter: `download.requested.*.*.${body.id}.*` }),
    { timeoutMs: 2000 },
  );
  expect(await workItemOf(gateway, record)).toBeNull();
  await create("item");
  expect(await until("the item again", () => workItemOf(gateway, record))).toMatchObject({
    id: body.id,
    generation: 1,
  });
});

test("a key belongs to one body, and to one user", async () => {
  const first = await create("mine");
  const other = await create("mine", { fileIds: [70_001] });
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
  const stranger = await create("mine", { fileIds: [70_000] }, { "x-user-id": "eve" });
  expect(stranger).toMatchObject({ status: 202, replayed: null });
  expect(stranger.body.id).not.toBe(first.body.id);
  expect((await create("yours")).body.id).not.toBe(first.body.id);
});

test.for(["a b", '""', "x".repeat(256), " "])("%j is no key", async (key) => {
  const { status, body } = await create(key);
  expect([status, body.code]).toEqual([400, "INVALID_IDEMPOTENCY_KEY"]);
  expect(body.errors).toMatchObject([{ header: "idempotency-key" }]);
});

test("create, delete, create with one key", async () => {
  const { body } = await create("spent");
  await remove(body.id);
  const again = await create("spent");
  expect([again.status, again.body.code]).toEqual([409, "IDEMPOTENCY_KEY_SPENT"]);

  const stored = await gateway.jobs.newest(body.id);
  if (stored === null) throw new Error("the deleted job is gone");
  // What is left when the deleted job has left JOBS too. The other key's record was never there.
  const { body: other } = await create("tombstone");
  const erased = { ...stored.record, id: other.id };
  await gateway.bus.requests.request(
    "$JS.API.STREAM.PURGE.JOBS",
    JSON.stringify({ filter: `download.job.${other.id}` }),
    {
      timeoutMs: 2000,
    },
  );
  await gateway.store.views.upsertMany([viewOf(erased, stored.seq, "0".repeat(32), 3600)]);
  expect((await create("tombstone")).body.code).toBe("IDEMPOTENCY_KEY_SPENT");
});

test("a job that has left JOBS is replayed from its view, an unfinished copy is not", async () => {
  const leave = async (key: string, end: boolean) => {
    const { body } = await create(key);
    if (end) await steps.command(body.id, "cancel");
    const stored = await gateway.jobs.newest(body.id);
    if (stored === null) throw new Error("the job is gone");
    await gateway.store.views.upsertMany([viewOf(stored.record, stored.seq, "0".repeat(32), 3600)]);
    const filter = JSON.stringify({ filter: `download.job.${body.id}` });
    await gateway.bus.requests.request("$JS.API.STREAM.PURGE.JOBS", filter, { timeoutMs: 2000 });
    return body.id;
  };
  const id = await leave("archived", true);
  expect(await create("archived")).toMatchObject({ status: 202, replayed: "true", body: { id, status: "cancelled" } });
  expect((await create("archived", { fileIds: [70_001] })).status).toBe(422);
  await leave("lost", false);
  expect((await create("lost")).body.code).toBe("DEPENDENCY_UNAVAILABLE");
});

test("a refused create does not spend the key", async () => {
  expect((await create("refused", { fileIds: [1] })).status).toBe(400);
  expect(await create("refused")).toMatchObject({ status: 202, replayed: null });
});

test("sixteen creates with one key at once make one job", async () => {
  const good = await Promise.all(Array.from({ length: 16 }, () => create("at-once")));
  expect(good.map((answer) => answer.status)).toEqual(Array.from({ length: 16 }, () => 202));
  expect(new Set(good.map((answer) => `${answer.body.id} ${answer.body.version}`)).size).toBe(1);
  expect(good.filter((answer) => answer.replayed === null)).toHaveLength(1);

  const bodies = await Promise.all(
    Array.from({ length: 16 }, (_, i) => create("two", { fileIds: [70_000 + (i % 2)] })),
  );
  expect(bodies.map((answer) => answer.status).sort()).toEqual([...Array(8).fill(202), ...Array(8).fill(422)]);
});
