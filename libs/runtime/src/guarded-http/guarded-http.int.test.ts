import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GuardedHttp } from "./guarded-http.ts";

const OPTIONS = { method: "GET", headers: {}, answerTimeoutMs: 10_000, signal: new AbortController().signal } as const;

let server: Server;
let port: number;
let received: Buffer[];
let http: GuardedHttp;

beforeEach(async () => {
  received = [];
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      received.push(bytes);
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  http.close();
  server.close();
  await once(server, "close");
});

/** Says of each address that it is asked about what the list says, the last one for all that follow. */
function guardedBy(...verdicts: boolean[]): GuardedHttp {
  http = new GuardedHttp({
    allowHttp: true,
    allows: () => (verdicts.length > 1 ? verdicts.shift() : verdicts[0]) ?? false,
    keptPerHost: 1,
    lookup: (_name, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]),
  });
  return http;
}

test("an allowed address is called", async () => {
  const { status, body } = await guardedBy(true).request(new URL(`http://files.example:${port}/`), OPTIONS);
  const text = Buffer.concat(await body.toArray()).toString();
  expect({ status, text }).toEqual({ status: 200, text: "ok" });
});

test.each(["http", "https"])(
  "%s: a connection that leads elsewhere than its name ends before a byte is sent",
  async (scheme) => {
    const answer = guardedBy(true, false).request(new URL(`${scheme}://files.example:${port}/`), OPTIONS);
    const connected = once(server, "connection");
    await expect(answer).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    const [socket] = await connected;
    if (!socket.closed) await once(socket, "close");
    expect(received).toEqual([]);
  },
);

test("a certificate that nobody vouches for, or none, is an outage", async () => {
  const answer = guardedBy(true).request(new URL(`https://files.example:${port}/`), OPTIONS);
  await expect(answer).rejects.toMatchObject({ code: "UNREACHABLE" });
});

test("a request that was given up before it began is not sent", async () => {
  const signal = AbortSignal.abort(new Error("stopped"));
  const answer = guardedBy(true).request(new URL(`http://127.0.0.1:${port}/`), { ...OPTIONS, signal });
  await expect(answer).rejects.toThrow("stopped");
  expect(received).toEqual([]);
});
