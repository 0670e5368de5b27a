import { gzipSync } from "node:zlib";
import { createWorkQueue } from "@longhaul/bus";
import { apiJob, type JobRecord } from "@longhaul/contracts";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { problemOf, requestsTo } from "../../testing/requests.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";

const DOWNLOADS = "/v1/downloads";

let gateway: TestGateway;

beforeAll(async () => {
  const env = {
    MONGODB_VIEWS_DATABASE: "gateway_create_body",
    PUBLIC_URL: "https://files.example",
    BODY_LIMIT_BYTES: "4096",
  };
  gateway = await startOwnGateway(env);
});

afterAll(() => gateway?.close());

const { call, post } = requestsTo(() => gateway);

test("a job is stored and its work item queued when 202 comes", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const response = await post({ fileIds: [70_000, 70_000], name: "tax 2025" }, { "x-user-id": "ada", traceparent });
  expect(response.status).toBe(202);
  expect(response.headers.get("retry-after")).toBe("2");
  const job = apiJob.parse(await response.json());
  expect(job).toMatchObject({ status: "queued", name: "tax 2025", progress: { filesTotal: 1, percent: 0 } });
  expect(response.headers.get("location")).toBe(`https://files.example${DOWNLOADS}/${job.id}`);
  expect(response.headers.get("etag")).toBe(`W/"${job.version}"`);

  const stored = await gateway.jobs.newest(job.id);
  expect(`${stored?.seq}.0`).toBe(job.version);
  const record = stored?.record as JobRecord;
  expect(record).toMatchObject({
    tenant: "default",
    user: "ada",
    tier: "unlimited",
    createdVia: "v1",
    status: "queued",
  });
  expect(record.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);

  const limits = { clock: systemClock, random: systemRandom, log: createLogger("test", "silent"), timeoutMs: 2000 };
  expect(await createWorkQueue(gateway.bus, limits).enqueue(record, null)).toBe("present");
});

test("every wrong field is named, all at once", async () => {
  const response = await post({
    fileIds: [10, 70_000, "x"],
    priority: 11,
    expiresIn: 1,
    archive: "tar",
    name: "",
    metadata: { "a/b": "x", ok: 3 },
    colour: "red",
  });
  expect(response.status).toBe(400);
  const { code, errors = [] } = await problemOf(response);
  expect(code).toBe("VALIDATION_ERROR");
  expect(errors.map((e) => e.pointer).sort()).toEqual(
    [
      "#/archive",
      "#/colour",
      "#/expiresIn",
      "#/fileIds/0",
      "#/fileIds/2",
      "#/metadata/a~1b",
      "#/metadata/ok",
      "#/name",
      "#/priority",
    ].sort(),
  );
  for (const { detail } of errors) expect(detail).not.toBe("");
});

test.for([
  ["no body", undefined, {}, 400, "VALIDATION_ERROR"],
  ["an empty body", "", { "content-type": "application/json" }, 400, "MALFORMED_JSON"],
  ["broken JSON", "{", { "content-type": "application/json" }, 400, "MALFORMED_JSON"],
  [
    "a poisoned prototype",
    '{"fileIds":[70000],"metadata":{"__proto__":"x"}}',
    { "content-type": "application/json" },
    400,
    "VALIDATION_ERROR",
  ],
  ["text", "hello", { "content-type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["too much", `"${"x".repeat(5000)}"`, { "content-type": "application/json" }, 413, "PAYLOAD_TOO_LARGE"],
  [
    "a user without a usable name",
    '{"fileIds":[70000]}',
    { "content-type": "application/json", "x-user-id": "a b" },
    400,
    "VALIDATION_ERROR",
  ],
] as const)("%s is refused", async ([, body, headers, status, code]) => {
  const response = await call(DOWNLOADS, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
  expect(response.status).toBe(status);
  expect(await problemOf(response)).toMatchObject({ code, status });
});

test("a compressed body is refused by its header", async () => {
  const plain = '{"fileIds":[70000]}';
  const refused = await call(DOWNLOADS, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: gzipSync(plain),
  });
  expect([refused.status, refused.headers.get("accept-encoding")]).toEqual([415, "identity"]);
  const { code, errors } = await problemOf(refused);
  expect(code).toBe("UNSUPPORTED_MEDIA_TYPE");
  expect(errors).toMatchObject([{ header: "content-encoding" }]);
  expect((await post(plain, { "content-encoding": "Identity" })).status).toBe(202);
});
