import { randomUUID } from "node:crypto";
import { failed, jobError } from "@longhaul/job";
import { type AuditRecord, viewOf } from "@longhaul/store";
import { type Collection, MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { jobSteps } from "../../testing/job-steps.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";

let gateway: TestGateway;
let mongodb: MongoClient;
let audit: Collection<AuditRecord>;

beforeAll(async () => {
  const own = randomUUID().slice(0, 8);
  const env = {
    MONGODB_VIEWS_DATABASE: `gateway_operations_${own}`,
    MONGODB_RECORDS_DATABASE: `gateway_records_${own}`,
    MAX_ATTEMPTS: "1",
  };
  gateway = await startOwnGateway(env);
  mongodb = new MongoClient(inject("mongodbUrl"));
  audit = mongodb.db(env.MONGODB_RECORDS_DATABASE).collection("audit");
  const steps = jobSteps(gateway);
  for (const code of ["SOURCE_TIMEOUT", "SOURCE_TIMEOUT", "S3_UPLOAD_FAILED", "FILE_NOT_FOUND"] as const) {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: '{"fileIds":[70000]}' };
    const { id } = (await (await fetch(`${gateway.url}/v1/downloads`, init)).json()) as { id: string };
    await steps.claim(id);
    await steps.write(id, (record) => failed(record, { error: jobError(code, "read-source"), now: new Date() }));
    const stored = await gateway.jobs.newest(id);
    if (stored) await gateway.store.views.upsertMany([viewOf(stored.record, stored.seq, "0".repeat(32), 3600)]);
  }
});

afterAll(async () => {
  await gateway?.close();
  await mongodb?.close();
});

type Body = Record<string, unknown> & { confirmToken: string; operationId: string; errors: object[]; code: string };

async function admin(method: string, path: string, body?: unknown, roles = "operator") {
  const headers: Record<string, string> = { "x-user-id": "olga", "x-user-roles": roles };
  if (body !== undefined) headers["content-type"] = "application/json";
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${gateway.url}/v1/admin/operations${path}`, init);
  return { http: response.status, location: response.headers.get("location"), body: (await response.json()) as Body };
}

const ASKED = { action: "redrive", filter: { code: "SOURCE_TIMEOUT" } };

test("a dry run shows what would be done, and does nothing", async () => {
  const { http, body } = await admin("POST", "", ASKED);
  expect(http).toBe(200);
  expect(body).toMatchObject({ matched: 2, byCode: { SOURCE_TIMEOUT: 2 } });
  expect(body.sample).toHaveLength(2);
  const all = await admin("POST", "", { ...ASKED, filter: { kind: "job" } });
  expect(all.body).toMatchObject({ matched: 3, byCode: { SOURCE_TIMEOUT: 2, S3_UPLOAD_FAILED: 1 } });
});

test("what was shown is begun once, followed and stopped", async () => {
  const { confirmToken } = (await admin("POST", "", ASKED)).body;
  const real = { ...ASKED, dryRun: false, confirmToken, ratePerSecond: 5, reason: "the source is back" };
  const begun = await admin("POST", "", real);
  expect([begun.http, begun.location]).toEqual([202, `${gateway.url}/v1/admin/operations/${begun.body.operationId}`]);
  expect((await admin("POST", "", real)).body.operationId).toBe(begun.body.operationId);

  const path = `/${begun.body.operationId}`;
  const state = {
    status: "running",
    matched: 2,
    done: 0,
    actor: "olga",
    reason: "the source is back",
    ratePerSecond: 5,
  };
  expect(await admin("GET", path, undefined, "viewer")).toMatchObject({ http: 200, body: state });
  const stopped = await admin("DELETE", `${path}?reason=enough`);
  expect(stopped).toMatchObject({ http: 200, body: { status: "stopped" } });
  expect((await admin("DELETE", path)).body).toEqual(stopped.body);
  expect((await admin("GET", "/unknown")).http).toBe(404);
  expect((await admin("DELETE", "/unknown", { reason: "gone" })).http).toBe(404);

  const { operationId } = begun.body;
  const olga = {
    tenant: "default",
    actor: "olga",
    at: expect.any(Date),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  };
  const stop = { ...olga, action: "operation.stop", subject: operationId, outcome: "done" };
  expect(await audit.find({}, { sort: { at: 1 }, projection: { _id: 0 } }).toArray()).toEqual([
    { ...olga, action: "operation.redrive", subject: operationId, reason: "the source is back", outcome: "done" },
    { ...olga, action: "operation.redrive", subject: operationId, reason: "the source is back", outcome: "done" },
    { ...stop, reason: "enough" },
    { ...stop, reason: null },
    { ...stop, subject: "unknown", reason: "gone", outcome: "NOT_FOUND" },
  ]);
});

test("without the dry run of exactly that, nothing is begun", async () => {
  const { confirmToken } = (await admin("POST", "", ASKED)).body;
  const other = { ...ASKED, filter: { kind: "job" } };
  for (const body of [{ ...ASKED }, { ...ASKED, confirmToken: "x.y" }, { ...other, confirmToken }]) {
    const { http, body: problem } = await admin("POST", "", { ...body, dryRun: false });
    expect([http, problem.code]).toEqual([400, "VALIDATION_ERROR"]);
    expect(problem.errors).toMatchObject([{ pointer: "#/confirmToken" }]);
  }
  expect((await admin("POST", "", { ...ASKED, filter: {} })).http).toBe(400);
  expect((await admin("POST", "", { ...ASKED, action: "explode" })).http).toBe(400);
});

test("who may read and who may act", async () => {
  for (const roles of ["", "viewer"]) {
    expect((await admin("POST", "", ASKED, roles)).body.code).toBe("FORBIDDEN");
    expect((await admin("DELETE", "/x", undefined, roles)).body.code).toBe("FORBIDDEN");
  }
  expect((await admin("GET", "/x", undefined, "")).body.code).toBe("FORBIDDEN");
});
