import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { acceptsConnections, canListen, freePorts } from "./ports.ts";

test("free ports are different ones that can be listened on", async () => {
  const ports = await freePorts(10);
  expect(new Set(ports).size).toBe(10);
  expect(await Promise.all(ports.map((port) => canListen(port)))).not.toContain(false);
});

test("a port is given out once, also while nobody listens on it yet", async () => {
  const ports = [...(await freePorts(300)), ...(await freePorts(300))];
  expect(new Set(ports).size).toBe(600);
});

test("a port with a listener is neither free nor refused", async () => {
  const [port = 0] = await freePorts(1);
  expect(await acceptsConnections(port)).toBe(false);
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  expect(await canListen(port)).toBe(false);
  expect(await acceptsConnections(port)).toBe(true);
  server.close();
});
