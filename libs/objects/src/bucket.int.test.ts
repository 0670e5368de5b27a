import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { objectsConfig } from "../../../tests/support/objects.ts";
import { createObjects, type ObjectsConfig } from "./create-objects.ts";
import type { Objects } from "./objects.ts";

const settings = objectsConfig(inject("s3"));
/** Each run has a folder of its own. */
const folder = `test/${randomUUID()}`;
const signing = { filename: "report.zip", contentType: "application/zip", ttlSeconds: 60 };

const opened: Objects[] = [];
function open(changes: Partial<ObjectsConfig> = {}): Objects {
  const objects = createObjects({ ...settings, ...changes });
  opened.push(objects);
  return objects;
}
const { results } = open();
const small = randomBytes(1234);

beforeAll(async () => {
  await results.ensure({ origins: ["http://localhost:3000"] });
  await results.put(`${folder}/small.bin`, small, { sizeBytes: small.length, contentType: "application/x-test" });
});
afterAll(() => {
  for (const objects of opened) objects.close();
});

test("an object that was put can be seen", async () => {
  const head = await results.head(`${folder}/small.bin`);
  expect(head).toMatchObject({
    sizeBytes: 1234,
    contentType: "application/x-test",
    etag: expect.stringMatching(/^".+"$/),
  });
  expect(Math.abs(Date.now() - (head?.lastModified.getTime() ?? 0))).toBeLessThan(60_000);
});

test("a stream of known length is put as it comes", async () => {
  const chunks = Array.from({ length: 8 }, () => randomBytes(256 * 1024));
  const sizeBytes = 8 * 256 * 1024;
  await results.put(`${folder}/stream.bin`, Readable.from(chunks), { sizeBytes, contentType: "application/zip" });
  const { url } = await results.presignGet(`${folder}/stream.bin`, signing);
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(Buffer.concat(chunks))).toBe(true);
});

test.each([
  ["fails in the middle", () => Promise.reject(new Error("the disk is gone"))],
  ["ends too early", async () => undefined],
  ["is too long", async () => randomBytes(4096)],
])("a stream that %s ends the call at once and leaves no object", async (_, rest) => {
  async function* chunks() {
    yield randomBytes(1024);
    const more = await rest();
    if (more) yield more;
  }
  const key = `${folder}/broken-${randomUUID()}.bin`;
  const body = Readable.from(chunks());
  const startedMs = performance.now();
  const put = results.put(key, body, { sizeBytes: 4096, contentType: "application/zip" });
  await expect(put).rejects.toMatchObject({ code: "BODY_FAILED" });
  expect(performance.now() - startedMs).toBeLessThan(8_000);
  expect(body.destroyed).toBe(true);
  expect(await results.head(key)).toBeNull();
});

test("no object is null, no bucket is an error", async () => {
  expect(await results.head(`${folder}/missing.bin`)).toBeNull();
  await expect(open({ s3Bucket: "longhaul-none" }).results.ping()).rejects.toMatchObject({ code: "NO_BUCKET" });
  await expect(results.ping()).resolves.toBeUndefined();
});

test("a signed URL gives the bytes under the name and type that were asked for, and parts of them", async () => {
  const { url, expiresAt } = await results.presignGet(`${folder}/small.bin`, { ...signing, filename: "Über uns.zip" });
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(Buffer.from(await response.arrayBuffer()).equals(small)).toBe(true);
  expect(response.headers.get("content-type")).toBe("application/zip");
  expect(response.headers.get("cache-control")).toBe("no-cache, no-store, must-revalidate");
  expect(response.headers.get("content-disposition")).toBe(
    `attachment; filename="Uber uns.zip"; filename*=UTF-8''%C3%9Cber%20uns.zip`,
  );
  const part = await fetch(url, { headers: { range: "bytes=10-19" } });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(small.subarray(10, 20))).toBe(true);
  expect(Math.abs(expiresAt.getTime() - Date.now() - 60_000)).toBeLessThan(5000);
});

test("a signed URL that was changed, or whose time is over, is refused", async () => {
  const { url } = await results.presignGet(`${folder}/small.bin`, { ...signing, ttlSeconds: 1 });
  expect((await fetch(url.replace("report.zip", "report.exe"))).status).toBe(403);
  expect((await fetch(url.replace("small.bin", "stream.bin"))).status).toBe(403);
  expect((await fetch(url.split("?")[0] ?? "")).status).toBe(403);
  await expect.poll(async () => (await fetch(url)).status, { timeout: 10_000, interval: 200 }).toBe(403);
});

test("URLs are signed for the public host", async () => {
  const { results: published } = open({ s3PublicEndpoint: "https://files.example.org" });
  const { url } = await published.presignGet("a/b.zip", signing);
  expect(url).toMatch(new RegExp(`^https://files\\.example\\.org/${settings.s3Bucket}/a/b\\.zip\\?`));
});

test("a list goes through all pages, in order, and only under its prefix", async () => {
  const names = Array.from({ length: 1005 }, (_, i) => `${folder}/list/${String(i).padStart(4, "0")}`);
  const body = Buffer.from("x");
  for (let i = 0; i < names.length; i += 50) {
    await Promise.all(
      names.slice(i, i + 50).map((name) => results.put(name, body, { sizeBytes: 1, contentType: "text/plain" })),
    );
  }
  const found: string[] = [];
  for await (const { key, sizeBytes } of results.list(`${folder}/list/`)) {
    expect(sizeBytes).toBe(1);
    found.push(key);
  }
  expect(found).toEqual(names);
});

test("wrong credentials are DENIED", async () => {
  const { results: stranger } = open({ s3SecretAccessKey: "wrong-wrong-wrong" });
  await expect(stranger.head(`${folder}/small.bin`)).rejects.toMatchObject({ code: "DENIED" });
  await expect(stranger.ping()).rejects.toMatchObject({ code: "DENIED" });
});

test("half of the credentials is refused before anything is sent", () => {
  expect(() => open({ s3SecretAccessKey: undefined })).toThrow(/S3_SECRET_ACCESS_KEY/);
});

test("the bucket of sources is the same store unless its own settings say otherwise", async () => {
  expect(await open().source.head(`${folder}/small.bin`)).toMatchObject({ sizeBytes: 1234 });
  const { source, results: own } = open({
    sourceS3Bucket: "longhaul-none",
    sourceS3SecretAccessKey: "wrong-wrong-wrong",
  });
  expect(source.name).toBe("longhaul-none");
  await expect(source.ping()).rejects.toMatchObject({ code: "DENIED" });
  await expect(own.ping()).resolves.toBeUndefined();
});

test("making a bucket that is there changes nothing, also when several do it at once", async () => {
  const fresh = `longhaul-${randomUUID()}`;
  const { results: bucket } = open({ s3Bucket: fresh });
  await Promise.all([1, 2, 3].map(() => bucket.ensure({ origins: ["http://localhost:3000"] })));
  await expect(bucket.ping()).resolves.toBeUndefined();
});

test("pages of the given origins may read, others not", async () => {
  await results.ensure({ origins: ["http://localhost:3000"] });
  const { url } = await results.presignGet(`${folder}/small.bin`, signing);
  const allowed = await fetch(url, { headers: { origin: "http://localhost:3000" } });
  expect(allowed.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
  expect(allowed.headers.get("access-control-expose-headers")?.toLowerCase()).toContain("content-disposition");
  const refused = await fetch(url, { headers: { origin: "http://evil.example" } });
  expect(refused.headers.get("access-control-allow-origin")).toBeNull();
});

test("nobody listening is UNAVAILABLE", async () => {
  const { results: nowhere } = open({ s3Endpoint: "http://127.0.0.1:1" });
  await expect(nowhere.head("a")).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

/** A local server that is no S3 store; closed after the test. */
async function listen(server: Server, onClose: () => void): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    onClose();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

test("a store that never answers ends in the call's time-out, or at once when the caller gives up", async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on("error", () => undefined)));
  const s3Endpoint = await listen(silent, () => {
    for (const socket of sockets) socket.destroy();
  });
  const { results: hanging } = open({ s3Endpoint, s3CallTimeoutMs: 300 });
  const startedMs = performance.now();
  await expect(hanging.head("a")).rejects.toMatchObject({ code: "TIMEOUT" });
  await expect(hanging.put("a", small, { sizeBytes: small.length, contentType: "a/b" })).rejects.toMatchObject({
    code: "TIMEOUT",
  });
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  const caller = new AbortController();
  const call = hanging.head("a", { signal: caller.signal });
  caller.abort();
  await expect(call).rejects.toMatchObject({ code: "ABORTED" });
});

test("a store that asks for patience is RATE_LIMITED, after a few tries, with the time it asked for", async () => {
  let requests = 0;
  const busy = createHttpServer((_, response) => {
    requests++;
    const body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    response.writeHead(503, { "content-type": "application/xml", "retry-after": "1" }).end(body);
  });
  const { results: limited } = open({ s3Endpoint: await listen(busy, () => busy.closeAllConnections()) });
  const put = limited.put("a", small, { sizeBytes: small.length, contentType: "a/b" });
  await expect(put).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 1000 });
  expect(requests).toBeGreaterThan(1);
  expect(requests).toBeLessThanOrEqual(3);
});

test("what is written is encrypted as the settings say, and carries no checksum that some stores refuse", async () => {
  let headers: IncomingHttpHeaders = {};
  const recorder = createHttpServer((request, response) => {
    headers = request.headers;
    request.resume().on("end", () => response.writeHead(200, { etag: '"e"' }).end());
  });
  const s3Endpoint = await listen(recorder, () => recorder.closeAllConnections());
  const { results: encrypted } = open({ s3Endpoint, s3Sse: "aws:kms", s3SseKmsKeyId: "key-1" });
  await encrypted.put("a", small, { sizeBytes: small.length, contentType: "a/b" });
  expect(headers).toMatchObject({
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    "content-length": "1234",
  });
  expect(Object.keys(headers).filter((name) => name.includes("checksum") || name.includes("trailer"))).toEqual([]);
});
