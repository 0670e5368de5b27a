import type { JobRecord, Problem } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";

let gateway: TestGateway;

/** Nobody but Ada may have odd files, and nobody can tell what Bob may have. */
const deniedFiles: FileAuthorisation = async ({ user }, fileIds) => {
  if (user === "bob") throw new Error("the directory of users is away");
  return user === "ada" ? [] : fileIds.filter((id) => id % 2 === 1);
};

beforeAll(async () => {
  const env = { MONGODB_VIEWS_DATABASE: "gateway_allowed_files", SOURCE_KIND: "synthetic" };
  gateway = await startOwnGateway(env, { deniedFiles });
});

afterAll(() => gateway?.close());

async function create(user: string, body: object, key?: string) {
  const response = await fetch(`${gateway.url}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": user, ...(key ? { "idempotency-key": key } : {}) },
    body: JSON.stringify(body),
  });
  const { headers, status } = response;
  return { status, retryAfter: headers.get("retry-after"), body: (await response.json()) as Problem & { id: string } };
}

test("a file that is denied refuses the whole job, and is named", async () => {
  const refused = await create("eve", { fileIds: [70_000, 70_001, 70_002, 70_003] });
  expect(refused).toMatchObject({
    status: 403,
    body: {
      code: "FORBIDDEN",
      errors: [
        { pointer: "#/fileIds/1", detail: expect.stringContaining("70001") },
        { pointer: "#/fileIds/3", detail: expect.stringContaining("70003") },
      ],
    },
  });
  expect((await create("ada", { fileIds: [70_001] })).status).toBe(202);
});

test("a refused create does not spend its key", async () => {
  expect((await create("eve", { fileIds: [70_001] }, "again")).status).toBe(403);
  expect((await create("eve", { fileIds: [70_000] }, "again")).status).toBe(202);
});

test("when nobody can tell, nothing is stored and the request can be repeated", async () => {
  const unknown = await create("bob", { fileIds: [70_000] });
  expect(unknown).toMatchObject({
    status: 503,
    retryAfter: expect.any(String),
    body: { code: "DEPENDENCY_UNAVAILABLE" },
  });
});

test("a job keeps the kind of source that was configured when it was created", async () => {
  const { body } = await create("ada", { fileIds: [70_000] });
  const record = (await gateway.jobs.newest(body.id))?.record as JobRecord;
  expect(record.spec.sourceKind).toBe("synthetic");
});

test("files that lie in no store of ours have no links of their own", async () => {
  const refused = await create("ada", { fileIds: [70_000], archive: "none" });
  expect(refused).toMatchObject({
    status: 400,
    body: { code: "VALIDATION_ERROR", errors: [{ pointer: "#/archive" }] },
  });
});
