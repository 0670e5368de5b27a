import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import {
  closeAll,
  ETAG,
  FILE,
  failing,
  lying,
  MODIFIED,
  NEVER,
  origin,
  read,
  serve,
  sourceOf,
  templateOf,
  versionless,
} from "./testing/http-files.ts";

afterEach(closeAll);

describe("an honest server", () => {
  test("a file is found and read, and nothing is sent that it need not know", async () => {
    const server = await origin(serve);
    const source = sourceOf(templateOf(server));
    const file = await source.find(70_000, NEVER);
    expect(file).toEqual({
      fileId: 70_000,
      name: "70000.bin",
      sizeBytes: FILE.length,
      etag: ETAG,
      crc32: null,
      modifiedAt: new Date(MODIFIED),
    });
    expect(await read(source, 0, file)).toEqual(FILE);
    const [head, get] = server.requests;
    expect([head?.method, get?.method, get?.url]).toEqual(["HEAD", "GET", "/files/70000.bin"]);
    const host = new URL(server.url).host;
    const plain = { host, "accept-encoding": "identity", "user-agent": "longhaul", connection: "keep-alive" };
    expect([head?.headers, get?.headers]).toEqual([plain, plain]);
  });

  test("the rest of a file is asked for by range, of the same version", async () => {
    const server = await origin(serve);
    expect(await read(sourceOf(templateOf(server)), 999_000)).toEqual(FILE.subarray(999_000));
    expect(server.requests.at(-1)?.headers).toMatchObject({ range: "bytes=999000-", "if-range": ETAG });
  });

  test("one that knows no HEAD is asked for the first byte", async () => {
    const server = await origin((request, response) => {
      if (request.method === "HEAD") response.writeHead(405).end();
      else if (request.headers.range === "bytes=0-0") {
        const range = `bytes 0-0/${FILE.length}`;
        response.writeHead(206, { etag: ETAG, "content-range": range, "content-length": 1 }).end("x");
      } else serve(request, response);
    });
    const source = sourceOf(templateOf(server));
    expect(await source.find(70_000, NEVER)).toMatchObject({ sizeBytes: FILE.length, etag: ETAG });
    expect(await read(source)).toEqual(FILE);
  });

  test("an empty file is one, also where only ranges tell", async () => {
    const server = await origin((request, response) => {
      if (request.method === "HEAD") response.writeHead(501).end();
      else response.writeHead(416, { "content-range": "bytes */0" }).end();
    });
    const source = sourceOf(templateOf(server));
    expect(await source.find(70_000, NEVER)).toMatchObject({ sizeBytes: 0 });
    expect(await read(source)).toHaveLength(0);
  });

  test("no more requests run at a time than one host is to bear, and all are served", async () => {
    let [running, most] = [0, 0];
    const server = await origin((request, response) => {
      running += 1;
      most = Math.max(most, running);
      response.once("close", () => {
        running -= 1;
      });
      setTimeout(() => serve(request, response), 5);
    });
    const source = sourceOf(templateOf(server), { perHost: 3 });
    const files = await Promise.all(Array.from({ length: 30 }, () => read(source)));
    expect(files.every((bytes) => bytes.equals(FILE))).toBe(true);
    expect(most).toBe(3);
  });

  test.each<[string, RequestListener]>([
    ["by a request for the rest", serve],
    ["over the connection that it has where versions are not told apart", versionless],
  ])("a reader who waits keeps nobody else waiting, and gets every byte %s", async (_, handler) => {
    const server = await origin(handler);
    const source = sourceOf(templateOf(server), { perHost: 1 });
    const file = await source.find(70_000, NEVER);
    const slow = source.open(file, 0, NEVER);
    const first = Buffer.from((await slow.next()).value ?? []);
    expect(await read(source, 0, file)).toEqual(FILE);
    const rest: Uint8Array[] = [];
    for await (const piece of slow) rest.push(Buffer.from(piece));
    expect(Buffer.concat([first, ...rest])).toEqual(FILE);
  });
});

describe("answers that are not the file", () => {
  test.each([
    [404, {}, "FILE_NOT_FOUND", undefined],
    [410, {}, "FILE_NOT_FOUND", undefined],
    [401, {}, "PERMISSION_DENIED", undefined],
    [403, {}, "PERMISSION_DENIED", undefined],
    [451, {}, "PERMISSION_DENIED", undefined],
    [400, {}, "INVALID_FILE_ID", undefined],
    [408, { "retry-after": "3" }, "SOURCE_TIMEOUT", 3_000],
    [429, { "retry-after": "120" }, "SOURCE_RATE_LIMITED", 120_000],
    [429, { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, "SOURCE_RATE_LIMITED", 0],
    [500, {}, "SOURCE_UNAVAILABLE", undefined],
    [503, { "retry-after": "7" }, "SOURCE_UNAVAILABLE", 7_000],
    [504, {}, "SOURCE_TIMEOUT", undefined],
    [204, {}, "SOURCE_UNAVAILABLE", undefined],
    [304, {}, "SOURCE_UNAVAILABLE", undefined],
    [302, {}, "SOURCE_UNAVAILABLE", undefined],
    [200, { "content-encoding": "gzip", "content-length": "10" }, "SOURCE_UNAVAILABLE", undefined],
  ])("%i %o is %s", async (status, headers, code, retryAfterMs) => {
    const server = await origin((_, response) => response.writeHead(status, headers).end());
    await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject({
      stage: "plan",
      code,
      retryAfterMs,
    });
  });

  test("one that was there when the job was planned has changed when it is gone", async () => {
    const server = await origin(lying((_, response) => response.writeHead(404).end()));
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(failing("SOURCE_CHANGED", "read-source"));
  });

  test("a size that is nowhere told is no file", async () => {
    const server = await origin((_, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" });
      response.end("all of it");
    });
    const found = sourceOf(templateOf(server)).find(70_000, NEVER);
    await expect(found).rejects.toMatchObject(failing("SOURCE_UNAVAILABLE", "plan"));
  });

  test("compressed bytes are not taken for the file's", async () => {
    const gzip = { "content-encoding": "gzip", "content-length": FILE.length };
    const server = await origin(lying((_, response) => response.writeHead(200, gzip).end(FILE)));
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(
      failing("SOURCE_UNAVAILABLE", "read-source"),
    );
  });
});
