import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../../../../tests/support/until.ts";
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
  readingOn,
  readOn,
  serve,
  sourceOf,
  templateOf,
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

  test("without an entity tag the date tells versions apart", async () => {
    const server = await origin((request, response) => serve(request, response, null));
    const source = sourceOf(templateOf(server));
    expect((await source.find(70_000, NEVER)).etag).toBe(MODIFIED);
    expect(await read(source, 999_000)).toEqual(FILE.subarray(999_000));
    expect(server.requests.at(-1)?.headers["if-range"]).toBe(MODIFIED);
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

  test("a reader who waits keeps nobody else waiting, and gets every byte all the same", async () => {
    const server = await origin(serve);
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

describe("a read that goes on in the middle", () => {
  const changed = failing("SOURCE_CHANGED", "read-source");

  /** Breaks off the first answers, each later than the one before. */
  function breaking(times: number, rest: RequestListener): RequestListener {
    let broken = 0;
    return lying((request, response) => {
      if (broken === times) return rest(request, response);
      broken += 1;
      const offset = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = { "content-range": `bytes ${offset}-${FILE.length - 1}/${FILE.length}` };
      const headers = { etag: ETAG, "content-length": FILE.length - offset };
      response.writeHead(offset === 0 ? 200 : 206, offset === 0 ? headers : { ...headers, ...range });
      response.write(FILE.subarray(offset, offset + 100_000), () => response.socket?.resetAndDestroy());
    });
  }

  test("a connection that is reset costs no byte twice and loses none", async () => {
    const server = await origin(breaking(2, serve));
    const source = sourceOf(templateOf(server));
    expect(await readOn(source, await source.find(70_000, NEVER))).toEqual(FILE);
    const ranges = server.requests.flatMap(({ headers }) => headers.range ?? []);
    expect(ranges).toHaveLength(2);
  });

  test("a server without ranges sends it all again, and only the rest is taken", async () => {
    const whole: RequestListener = (_, response) => {
      response.writeHead(200, { etag: ETAG, "content-length": FILE.length }).end(FILE);
    };
    const server = await origin(breaking(1, whole));
    const source = sourceOf(templateOf(server));
    expect(await readOn(source, await source.find(70_000, NEVER))).toEqual(FILE);
  });

  test.each<[string, RequestListener]>([
    ["all of another version", (request, response) => serve(Object.assign(request, { headers: {} }), response, '"v2"')],
    ["the rest of another version", (request, response) => serve(request, response, '"v2"')],
    ["an unsatisfiable range", (_, response) => response.writeHead(416, { "content-range": "bytes */10" }).end()],
    ["a failed condition", (_, response) => response.writeHead(412).end()],
    ["all of it, whatever version that is", (_, response) => response.writeHead(200).end(FILE)],
    [
      "a range of a longer file",
      (_, response) => response.writeHead(206, { etag: ETAG, "content-range": "bytes 500000-1000000/1000001" }).end(),
    ],
  ])("%s is a change", async (_, answer) => {
    const server = await origin(lying(answer));
    await expect(read(sourceOf(templateOf(server)), 500_000)).rejects.toMatchObject(changed);
  });

  test.each(["bytes 500001-999999/1000000", "bytes 500000-700000/1000000", "bytes 0-999999/1000000", "none"])(
    "a range that was not asked for is not taken: %s",
    async (range) => {
      const headers = { etag: ETAG, "content-range": range };
      const server = await origin(lying((_, response) => response.writeHead(206, headers).end(FILE)));
      await expect(read(sourceOf(templateOf(server)), 500_000)).rejects.toMatchObject(
        failing("SOURCE_UNAVAILABLE", "read-source"),
      );
    },
  );

  test("a file without a version cannot be gone on with", async () => {
    const server = await origin((_, response) => response.writeHead(200, { "content-length": FILE.length }).end(FILE));
    const source = sourceOf(templateOf(server));
    expect(await source.find(70_000, NEVER)).toMatchObject({ etag: null });
    await expect(read(source, 1)).rejects.toMatchObject(changed);
  });

  test("a server that closes while its reader holds back takes nobody down", async () => {
    let sent = 0;
    let gone = false;
    const once = breaking(1, (request, response) => {
      sent += 1;
      serve(request, response);
    });
    const server = await origin((request, response) => {
      request.socket.once("close", () => (gone = true));
      once(request, response);
    });
    const source = sourceOf(templateOf(server), { idleMs: 60_000 });
    const file = await source.find(70_000, NEVER);
    const reading = readingOn(source, file);
    const pieces = [Buffer.from((await reading.next()).value ?? [])];
    await until("the server to be gone", () => gone);
    for await (const piece of reading) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces)).toEqual(FILE);
    await until("the rest to have been asked for", async () => sent === 1);
  });
});
