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
  versionless,
} from "./testing/http-files.ts";

/** A second after `MODIFIED`. */
const AFTER_A_SECOND = "Fri, 02 Jan 2026 03:04:07 GMT";

afterEach(closeAll);

describe("what tells versions of a file apart", () => {
  test("without an entity tag the date tells versions apart", async () => {
    const server = await origin((request, response) => serve(request, response, null));
    const source = sourceOf(templateOf(server));
    expect((await source.find(70_000, NEVER)).etag).toBe(MODIFIED);
    expect(await read(source, 999_000)).toEqual(FILE.subarray(999_000));
    expect(server.requests.at(-1)?.headers["if-range"]).toBe(MODIFIED);
  });

  test.each<[string, string | null, string | null]>([
    ["a weak tag", 'W/"v1"', AFTER_A_SECOND],
    ["the date of the second in which it answers", null, MODIFIED],
    ["a date, but not when it answers", null, null],
  ])("%s tells no versions apart", async (_, etag, answeredAt) => {
    const server = await origin((request, response) => {
      if (answeredAt === null) response.sendDate = false;
      else response.setHeader("date", answeredAt);
      serve(request, response, etag);
    });
    expect(await sourceOf(templateOf(server)).find(70_000, NEVER)).toMatchObject({ etag: null });
  });

  test("a date tells them apart a second later", async () => {
    const server = await origin((request, response) =>
      serve(request, response.setHeader("date", AFTER_A_SECOND), null),
    );
    expect(await sourceOf(templateOf(server)).find(70_000, NEVER)).toMatchObject({ etag: MODIFIED });
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

  test("a version that is too new to be told is another all the same, from the first byte on", async () => {
    const tooNew = { "last-modified": AFTER_A_SECOND, date: AFTER_A_SECOND };
    const server = await origin(lying((_, response) => response.writeHead(200, tooNew).end(FILE)));
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(changed);
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
    const server = await origin(versionless);
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
