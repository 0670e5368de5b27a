import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { apiJob, type JobRecord } from "@longhaul/contracts";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type OwnServer, startOwnServer } from "../../../tests/support/own-server.ts";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

const DOWNLOADS = "/v1/downloads";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let nats: OwnServer;
let gateway: TestGateway;

beforeAll(async () => {
  nats = await startOwnServer("nats");
  const [mongodbUrl, s3] = [inject("mongodbUrl"), inject("s3")];
  const env = { MONGODB_VIEWS_DATABASE: "gateway_app", PUBLIC_URL: "https://files.example", BODY_LIMIT_BYTES: "4096" };
  gateway = await startTestGateway({ natsUrl: nats.url, mongodbUrl, s3, env });
});

afterAll(async () => {
  await gateway?.close();
  await nats?.remove();
});

const call = (path: string, init?: RequestInit) => fetch(gateway.url + path, { redirect: "manual", ...init });
const post = (body: unknown, headers: Record<string, string> = {}) =>
  call(DOWNLOADS, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-store");
  return (await response.json()) as {
    code: string;
    status: number;
    type: string;
    detail: string;
    traceId: string;
    requestId: string;
    errors?: Record<string, string>[];
  };
}

describe("create", () => {
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

    const { createWorkQueue } = await import("@longhaul/bus");
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

describe("status", () => {
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

  test("a write is seen by whoever names its version, although nothing was pushed", async () => {
    const job = apiJob.parse(await (await post({ fileIds: [70_000] })).json());
    await call(job.links.self);
    const stored = await gateway.jobs.newest(job.id);
    const { claim } = await import("@longhaul/job");
    const run = { id: "r1", worker: "w1", item: 1, startedAt: new Date().toISOString() };
    const change = claim(stored?.record as JobRecord, { run, key: null, now: new Date() });
    const put = await gateway.jobs.put(job.id, stored?.seq ?? 0, change, {
      deadlineMs: 2000,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      source: "/test",
    });
    const seq = put.kind === "done" ? put.seq : 0;
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
});

describe("every route", () => {
  test("the prefix /api and trailing slashes are served, not redirected", async () => {
    const job = apiJob.parse(await (await post({ fileIds: [70_000] })).json());
    for (const path of [`/api${job.links.self}`, `${job.links.self}/`, `/api${job.links.self}//?x=1`]) {
      expect([path, (await call(path)).status]).toEqual([path, 200]);
    }
    expect((await call(`/api/api${job.links.self}`)).status).toBe(404);
  });

  test("paths that nobody can mean are not found, and can be found in the logs", async () => {
    for (const path of [`${DOWNLOADS}/${"a".repeat(5000)}`, `${DOWNLOADS}/%`, `${DOWNLOADS}/%00`]) {
      const response = await call(path);
      const problem = await problemOf(response);
      expect([path.slice(0, 30), response.status, problem.code]).toEqual([path.slice(0, 30), 404, "NOT_FOUND"]);
      expect(problem.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(response.headers.get("x-request-id")).toBe(problem.requestId);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  test("a wrong method is told the right ones", async () => {
    const wrong = await call(DOWNLOADS, { method: "PATCH" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await problemOf(wrong)).code).toBe("METHOD_NOT_ALLOWED");
    const status = await call(`${DOWNLOADS}/x`, { method: "PUT" });
    expect([status.status, status.headers.get("allow")]).toEqual([405, "DELETE, GET, HEAD"]);
    expect((await call("/nothing")).status).toBe(404);
  });

  test("the request id is echoed if it is sane, and the security headers are there", async () => {
    const echoed = await call("/health/live", { headers: { "x-request-id": "abc-1" } });
    expect(echoed.headers.get("x-request-id")).toBe("abc-1");
    expect(echoed.headers.get("x-content-type-options")).toBe("nosniff");
    expect(echoed.headers.get("strict-transport-security")).toContain("max-age=");
    const made = await call("/nothing", { headers: { "x-request-id": "a b<c>" } });
    expect(made.headers.get("x-request-id")).toMatch(UUID);
    expect((await problemOf(made)).status).toBe(404);
  });

  test("CORS lets the allowed origin in and nobody else", async () => {
    const headers = { origin: "http://localhost:3000", "access-control-request-method": "POST" };
    const preflight = await call(DOWNLOADS, { method: "OPTIONS", headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    expect(preflight.headers.get("access-control-max-age")).toBe("3600");
    const refused = await call("/nothing", { headers: { origin: "http://evil.example" } });
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    const exposed = await call("/nothing", { headers: { origin: "http://localhost:3000" } });
    const names = exposed.headers.get("access-control-expose-headers");
    for (const name of ["ETag", "Idempotent-Replayed", "Idempotency-Key-Expires"]) expect(names).toContain(name);
  });

  test.for([
    ["too large headers", `X-Large: ${"y".repeat(40_000)}`, 431, "HEADERS_TOO_LARGE"],
    ["what is no header", "no header", 400, "VALIDATION_ERROR"],
  ] as const)("%s are refused as a problem, with the headers of every answer", async ([, line, status, code]) => {
    const text = await rawRequest(`GET /health HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`);
    const [head = "", body = ""] = text.split("\r\n\r\n");
    const problem = JSON.parse(body) as { requestId: string };
    expect(head).toContain(`HTTP/1.1 ${status}`);
    expect(problem).toMatchObject({ code, requestId: expect.stringMatching(UUID) });
    for (const header of [
      `x-request-id: ${problem.requestId}`,
      "x-content-type-options: nosniff",
      "strict-transport-security: max-age=",
    ]) {
      expect(head).toContain(header);
    }
  });

  test("health, OpenAPI and metrics tell what is there", async () => {
    expect(await (await call("/health/ready")).json()).toMatchObject({ status: "ready" });
    expect((await call("/health")).status).toBe(200);
    const document = (await (await call("/openapi.json")).json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { parameters?: object[]; requestBody?: unknown; responses: Record<string, unknown> }>
      >;
    };
    expect(document.openapi).toBe("3.1.0");
    const ofJob = ["", "/cancel", "/content", "/pause", "/resume", "/retry"].map((path) => `${DOWNLOADS}/{id}${path}`);
    const letters = ["", "/{id}", "/{id}/redrive"].map((path) => `/v1/admin/dead-letters${path}`);
    const operations = ["", "/{id}"].map((path) => `/v1/admin/operations${path}`);
    expect(Object.keys(document.paths).sort()).toEqual([...letters, ...operations, DOWNLOADS, ...ofJob]);
    expect(Object.keys(document.paths[`${DOWNLOADS}/{id}`] ?? {})).toEqual(["get", "delete"]);
    expect(document.paths[DOWNLOADS]?.post?.parameters).toMatchObject([{ in: "header", name: "idempotency-key" }]);
    expect(document.paths[DOWNLOADS]?.post?.requestBody).toBeDefined();
    const problems = Object.values(document.paths).flatMap((operations) => Object.values(operations));
    for (const { responses } of problems)
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "503"]));
    expect(document.paths[DOWNLOADS]?.post?.responses["422"]).toEqual({
      description: "`IDEMPOTENCY_KEY_REUSED`: The key belongs to another request.",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    });
    const text = await gateway.metrics.registry.metrics();
    expect(text).toMatch(/download_queue_length\{service="gateway"\} [1-9]/);
    expect(text).toMatch(/download_initiated_total\{service="gateway"\} [1-9]/);
    expect(text).toMatch(/downloads_started_total\{user_tier="unlimited",file_type="zip",service="gateway"\} [1-9]/);
    expect(text).toMatch(/http_server_request_duration_seconds_count\{.*route="\/v1\/downloads\/:id"/);
    expect(text).toContain("download_sockets_open");
  });
});

function rawRequest(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", (error) => (answer ? resolve(answer) : reject(error)));
  });
}
