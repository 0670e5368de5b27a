import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import websocket from "@fastify/websocket";
import { systemClock } from "@longhaul/runtime";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../../tests/support/until.ts";
import { Connection } from "./connection.ts";

const KEEPALIVE_MS = 200;
const MIBIBYTE = 1024 ** 2;

let app: FastifyInstance;
let newest: Connection;

beforeAll(async () => {
  app = Fastify();
  await app.register(websocket);
  app.get("/", { websocket: true }, (socket) => {
    newest = new Connection(socket, { keepaliveMs: KEEPALIVE_MS, bufferBytes: 64 * 1024 }, systemClock);
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
});

afterAll(() => app.close());

/** A client that shakes hands and then does nothing by itself: it neither reads nor answers pings. */
async function inertClient(): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(socket, "readable");
  return socket;
}

test("a client that does not read is told that it is too slow, and ended with 1013", async () => {
  const client = await inertClient();
  const progress = { bytesDone: 1 } as never;
  const version = "x".repeat(MIBIBYTE);
  for (let i = 0; i < 64 && !newest.ended; i++) {
    newest.sendData({ type: "progress", version, progress });
    await new Promise(setImmediate);
  }
  expect(newest.ended).toBe(true);
  let tail = Buffer.alloc(0);
  client.on("data", (chunk) => {
    tail = Buffer.concat([tail, chunk]).subarray(-1000);
  });
  await until("the close frame", () => tail.includes(Buffer.from([0x88, 2 + "SLOW".length, 1013 >> 8, 1013 & 0xff])));
  expect(tail.toString()).toContain('"type":"bye","code":1013,"reason":"SLOW"');
  client.destroy();
});

test("a client that answers no ping is cut", async () => {
  const client = await inertClient();
  client.resume();
  await once(client, "close");
  await until("its end here", () => newest.ended);
});
