import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import {
  closeAll,
  ETAG,
  FILE,
  failing,
  lying,
  NEVER,
  origin,
  rawOrigin,
  read,
  readOn,
  sourceOf,
  templateOf,
} from "./testing/http-files.ts";

afterEach(closeAll);

describe("servers that take their time", () => {
  const late = (stage: "plan" | "read-source") => failing("SOURCE_TIMEOUT", stage);

  test("one that never answers", async () => {
    const server = await origin(() => {});
    await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject(late("plan"));
  });

  test("one that stops in the middle", async () => {
    const hang: RequestListener = (_, response) => {
      response.writeHead(200, { etag: ETAG, "content-length": FILE.length });
      response.write(FILE.subarray(0, 1_000));
    };
    const server = await origin(lying(hang));
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(late("read-source"));
  });

  test("one that drips: always something, never enough", async () => {
    const drip: RequestListener = (_, response) => {
      response.writeHead(200, { etag: ETAG, "content-length": FILE.length });
      const timer = setInterval(() => response.write("."), 20);
      response.once("close", () => clearInterval(timer));
    };
    const server = await origin(lying(drip));
    const source = sourceOf(templateOf(server), { minBytesPerSecond: 1_024 });
    await expect(read(source)).rejects.toMatchObject(late("read-source"));
  });

  test("one whose headers drip without end", async () => {
    const server = await rawOrigin((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const timer = setInterval(() => socket.write("x: y\r\n"), 50);
      socket.once("close", () => clearInterval(timer));
    });
    await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject(late("plan"));
  });

  test("one that says 'continue' without end", async () => {
    const server = await rawOrigin((socket) => {
      const timer = setInterval(() => socket.write("HTTP/1.1 100 Continue\r\n\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    });
    await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject(late("plan"));
  });

  test("a read that is stopped ends at once, with the reason, also while it waits for its turn", async () => {
    const hang: RequestListener = (_, response) => {
      response.writeHead(200, { etag: ETAG, "content-length": FILE.length });
      response.write(FILE.subarray(0, 1_000));
    };
    const server = await origin(lying(hang));
    const source = sourceOf(templateOf(server), { perHost: 1, idleMs: 60_000 });
    const file = await source.find(70_000, NEVER);
    const stop = new AbortController();
    const hanging = source.open(file, 0, stop.signal);
    await hanging.next();
    const ends = Promise.allSettled([hanging.next(), source.open(file, 0, stop.signal).next()]);
    const reason = new Error("stopped");
    stop.abort(reason);
    expect(await ends).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
  });
});

describe("servers that lie about their file", () => {
  const changed = failing("SOURCE_CHANGED", "read-source");
  const cut = failing("SOURCE_UNAVAILABLE", "read-source");

  test("more bytes announced than there are", async () => {
    const server = await origin(
      lying((_, response) => {
        response.writeHead(200, { etag: ETAG, "content-length": FILE.length });
        response.write(FILE.subarray(0, 1_000), () => response.destroy());
      }),
    );
    const source = sourceOf(templateOf(server));
    await expect(read(source)).rejects.toMatchObject(cut);
    await expect(readOn(source, await source.find(70_000, NEVER))).rejects.toMatchObject(cut);
  });

  test("another length than it told when it was found", async () => {
    const server = await origin(
      lying((_, response) => response.writeHead(200, { etag: ETAG, "content-length": 10 }).end("0123456789")),
    );
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(changed);
  });

  test.each([
    ["fewer", FILE.subarray(0, 999_999)],
    ["more", Buffer.concat([FILE, Buffer.from("!")])],
  ])("%s bytes than it told, in chunks", async (_, bytes) => {
    const server = await origin(
      lying((_request, response) => {
        response.writeHead(200, { etag: ETAG });
        response.end(bytes);
      }),
    );
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(changed);
  });

  test("a body that ends with its connection may have been cut", async () => {
    const server = await rawOrigin((socket, request) => {
      const isHead = request.startsWith("HEAD");
      socket.write(
        `HTTP/1.1 200 OK\r\nETag: ${ETAG}\r\n${isHead ? "Content-Length: 9\r\n" : ""}Connection: close\r\n\r\n`,
      );
      socket.end(isHead ? "" : "123456");
    });
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(cut);
  });

  test("what comes after the end of an answer is not the begin of the next", async () => {
    const server = await rawOrigin((socket, request) => {
      socket.write(`HTTP/1.1 200 OK\r\nETag: ${ETAG}\r\nContent-Length: 9\r\n\r\n`);
      if (request.startsWith("GET")) {
        socket.write("123456789");
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsmuggled!");
      }
    });
    const source = sourceOf(templateOf(server));
    for (let i = 0; i < 5; i++) expect((await read(source)).toString()).toBe("123456789");
  });

  test.each([
    ["headers without end", "HTTP/1.1 200 OK\r\nx: ", "y".repeat(100_000)],
    ["something that is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", ""],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n", ""],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", ""],
  ])("%s", async (_, begin, rest) => {
    const server = await rawOrigin((socket) => {
      socket.write(begin);
      socket.write(rest);
    });
    const found = sourceOf(templateOf(server)).find(70_000, NEVER);
    await expect(found).rejects.toMatchObject(failing("SOURCE_UNAVAILABLE", "plan"));
  });

  test("a chunk that is none", async () => {
    const server = await rawOrigin((socket, request) => {
      if (request.startsWith("HEAD")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
      else socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnot a length\r\n");
    });
    await expect(read(sourceOf(templateOf(server)))).rejects.toMatchObject(cut);
  });
});
