import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createLogger } from "@longhaul/runtime";
import { afterEach, expect, inject, test } from "vitest";
import { connectStore, type Store } from "./connect.ts";

const TIMEOUT_MS = 600;
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function storeAt(mongodbUrl: string, mongodbTimeoutMs = TIMEOUT_MS): Store {
  const config = { mongodbUrl, mongodbViewsDatabase: "store_connect", mongodbTimeoutMs, mongodbMaxPoolSize: 5 };
  const store = connectStore(config, createLogger("test", "silent"));
  closers.push(() => store.close());
  return store;
}

/** A port that takes connections and never says a word, as a frozen server does. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("a database that answers", async () => {
  await storeAt(inject("mongodbUrl"), 10_000).ping();
});

test.each([
  ["nobody listens", closedPort],
  ["a server is frozen", silentPort],
])("where %s, a call fails with its code in its time", async (_, portOf) => {
  const { views } = storeAt(`mongodb://127.0.0.1:${await portOf()}/`);
  const startedMs = performance.now();

  const calls = [views.get("x"), views.writeProgress([]), views.assertIndexes()];
  const [read, nothing, assert] = await Promise.allSettled(calls);

  expect(read).toMatchObject({
    reason: { name: "StoreError", code: expect.stringMatching(/^(UNAVAILABLE|TIMEOUT)$/) },
  });
  expect(nothing).toMatchObject({ status: "fulfilled" });
  expect(assert).toMatchObject({ reason: { name: "StoreError" } });
  expect(performance.now() - startedMs).toBeLessThan(TIMEOUT_MS + 10_000);
});
