import { connect } from "node:net";
import { apiJob } from "@longhaul/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOwnGateway } from "../../../tests/support/own-gateway.ts";
import { problemOf, requestsTo } from "./testing/requests.ts";
import type { TestGateway } from "./testing/test-gateway.ts";

const DOWNLOADS = "/v1/downloads";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startOwnGateway({ MONGODB_VIEWS_DATABASE: "gateway_app", PUBLIC_URL: "https://files.example" });
});

afterAll(() => gateway?.close());

const { call, post } = requestsTo(() => gateway);

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
  for (const { responses } of problems) expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "503"]));
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
