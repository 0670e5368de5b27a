import type { LookupFunction } from "node:net";
import { afterEach, expect, test } from "vitest";
import { closeAll, FILE, failing, NEVER, origin, read, serve, sourceOf, templateOf } from "./testing/http-files.ts";
import { type Origin, startOrigin } from "./testing/origin.ts";

afterEach(closeAll);

const refused = failing("PERMISSION_DENIED", "plan");

test.each([
  "http://169.254.169.254/latest/meta-data/",
  "http://[::ffff:169.254.169.254]/",
  "http://[::1]/",
  "http://10.0.0.1/",
  "http://0x7f.2/",
  "http://me:secret@127.0.0.1/",
  "file:///etc/passwd",
  "gopher://127.0.0.1/",
])("a redirect to %s is not followed", async (location) => {
  const server = await origin((_, response) => response.writeHead(302, { location }).end());
  await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject(refused);
  expect(server.requests).toHaveLength(1);
});

test("redirects between allowed addresses are followed, with the range", async () => {
  const target = await origin(serve);
  const server = await origin((request, response) => {
    response.writeHead(307, { location: `${target.url}/there${request.url}` }).end();
  });
  const source = sourceOf(templateOf(server));
  expect(await read(source, 999_000)).toEqual(FILE.subarray(999_000));
  const { url, headers } = target.requests.at(-1) ?? {};
  expect([url, headers?.range, headers?.referer]).toEqual(["/there/files/70000.bin", "bytes=999000-", undefined]);
});

test("a loop of redirects comes to an end", async () => {
  const server = await origin((request, response) => {
    response.writeHead(302, { location: request.url }).end();
  });
  const found = sourceOf(templateOf(server)).find(70_000, NEVER);
  await expect(found).rejects.toMatchObject(failing("SOURCE_UNAVAILABLE", "plan"));
  expect(server.requests).toHaveLength(6);
});

test("plain http is called only where that is allowed", async () => {
  const server = await origin(serve);
  await expect(sourceOf(templateOf(server), { allowHttp: false }).find(70_000, NEVER)).rejects.toMatchObject(refused);
  expect(server.requests).toHaveLength(0);
});

/** Answers a name with one list of addresses after the other. */
const answering = (...answers: string[][]): LookupFunction => {
  return (_name, _options, callback) => {
    const addresses = answers.length > 1 ? answers.shift() : answers[0];
    callback(null, addresses?.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })) ?? []);
  };
};
const named = (server: Origin) => templateOf(server).replace("127.0.0.1", "files.example");

test("a name that means another address the second time leads nowhere", async () => {
  const server = await origin((request, response) => {
    response.setHeader("connection", "close");
    serve(request, response);
  });
  const source = sourceOf(named(server), { lookup: answering(["127.0.0.1"], ["10.0.0.1"]) });
  const file = await source.find(70_000, NEVER);
  await expect(read(source, 0, file)).rejects.toMatchObject(failing("PERMISSION_DENIED", "read-source"));
  expect(server.requests).toHaveLength(1);
});

test("a name is refused when only one of its addresses is not allowed", async () => {
  const server = await origin(serve);
  const source = sourceOf(named(server), { lookup: answering(["127.0.0.1", "fe80::1"]) });
  await expect(source.find(70_000, NEVER)).rejects.toMatchObject(refused);
});

test("a name that nobody knows may be known a moment later", async () => {
  const lookup: LookupFunction = (name, _options, callback) => {
    callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }), []);
  };
  const source = sourceOf("http://files.example/{file_id}", { lookup });
  await expect(source.find(70_000, NEVER)).rejects.toMatchObject(failing("SOURCE_UNAVAILABLE", "plan"));
});

test("a port where nobody listens is an outage", async () => {
  const server = await startOrigin(serve);
  await server.close();
  await expect(sourceOf(templateOf(server)).find(70_000, NEVER)).rejects.toMatchObject(
    failing("SOURCE_UNAVAILABLE", "plan"),
  );
});
