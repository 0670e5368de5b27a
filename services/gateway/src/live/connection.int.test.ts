import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import websocket from "@fastify/websocket";
import { systemClock } from "@longhaul/runtime";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../../tests/support/until.ts";
import { Connection } from "./connection.ts";

const KEEPALIVE_MS = 200;
const MEBIBYTE = 1024 ** 2;

let keepaliveMs = KEEPALIVE_MS;
let app: FastifyInstance;
let newest: Connection;

beforeAll(async () => {
  app = Fastify();
  await app.register(websocket);
  app.get("/", { websocket: true }, (socket) => {
    newest = new Connection(socket, { keepaliveMs, bufferBytes: 64 * 1024 }, systemClock);
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

const frameOf = (state: number) =>
  ({ type: "progress", version: `${state}.`, progress: { padding: "x".repeat(MEBIBYTE) } as never }) as const;

/** Sends states until the client counts as slow; gives the last of them. */
async function overwhelm(connection: Connection): Promise<number> {
  let state = 0;
  while (connection.ready) {
    connection.sendData(frameOf(++state));
    await new Promise(setImmediate);
  }
  return state;
}

test("a slow client gets the latest state when it has taken what was sent, not every state", async () => {
  keepaliveMs = 60_000;
  const client = await inertClient();
  const connection = newest;
  const lastSent = await overwhelm(connection);
  connection.onDrain(() => connection.sendData(frameOf(1000)));
  for (let state = lastSent + 1; state < 1000; state++) connection.sendData(frameOf(state));

  let text = "";
  client.on("data", (chunk) => {
    text += String(chunk).replaceAll("x", "");
  });
  const versions = () => [...text.matchAll(/"version":"(\d+)\."/g)].map(([, state]) => Number(state));
  await until("the latest state", () => versions().includes(1000), 20_000);
  expect(versions()).toEqual([...Array.from({ length: lastSent }, (_, i) => i + 1), 1000]);
  expect(connection.ended).toBe(false);
  client.destroy();
});

test("a client that does not read is told that it is too slow, and ended with 1013", async () => {
  keepaliveMs = KEEPALIVE_MS;
  const client = await inertClient();
  const connection = newest;
  await overwhelm(connection);
  await until("its end", () => connection.ended);
  let tail = Buffer.alloc(0);
  client.on("data", (chunk) => {
    tail = Buffer.concat([tail, chunk]).subarray(-1000);
  });
  await until("the close frame", () => tail.includes(Buffer.from([0x88, 2 + "SLOW".length, 1013 >> 8, 1013 & 0xff])));
  expect(tail.toString()).toContain('"type":"bye","code":1013,"reason":"SLOW"');
  client.destroy();
});

test("a client that answers no ping is cut", async () => {
  keepaliveMs = KEEPALIVE_MS;
  const client = await inertClient();
  client.resume();
  await once(client, "close");
  await until("its end here", () => newest.ended);
});
