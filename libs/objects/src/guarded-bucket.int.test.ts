import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { type StoreProxy, startStoreProxy } from "../../../tests/chaos/store-proxy.ts";
import { objectsConfig } from "../../../tests/support/objects.ts";
import { until } from "../../../tests/support/until.ts";
import { createObjects, type ObjectsConfig } from "./create-objects.ts";
import type { Bucket, Objects } from "./objects.ts";

const MIN_CALLS = 4;
const RESET_MS = 1_000;
const SETTINGS = { breakerErrorPercent: 50, breakerMinCalls: MIN_CALLS, breakerResetMs: RESET_MS };
const { signal } = new AbortController();

let proxy: StoreProxy;
beforeAll(async () => {
  proxy = await startStoreProxy(inject("s3").endpoint);
});
afterEach(() => {
  proxy.heal();
});
afterAll(() => proxy?.close());

function open(changes: Partial<ObjectsConfig> = {}): Objects {
  const config = { ...objectsConfig(inject("s3")), s3Endpoint: proxy.url, s3CallTimeoutMs: 2_000 };
  const objects = createObjects({ ...config, ...changes }, SETTINGS);
  onTestFinished(() => objects.close());
  return objects;
}

const read = async (bucket: Bucket, key: string) => {
  let bytes = 0;
  for await (const piece of bucket.open(key, { offset: 0, etag: null, signal })) bytes += piece.length;
  return bytes;
};

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "done",
    (error) => String(error.code),
  );

/** Calls until the breaker has opened. */
async function fail(bucket: Bucket): Promise<void> {
  await Promise.all(Array.from({ length: MIN_CALLS }, () => codeOf(bucket.head(randomUUID()))));
  expect(bucket.breaker?.isOpen).toBe(true);
}

test("the calls of a store that fails are refused at once, and made again when a probe has succeeded", async () => {
  const { results } = open();
  const changes: boolean[] = [];
  results.breaker?.onChange((isOpen) => changes.push(isOpen));
  const key = `breaker/${randomUUID()}`;
  await results.put(key, Buffer.from("x"), { sizeBytes: 1, contentType: "text/plain" });

  proxy.spoil("any", "503");
  await fail(results);
  const made = proxy.spoilt();
  const upload = { key, id: "1" };
  const refused = [
    results.head(key),
    results.put(key, Buffer.from("y"), { sizeBytes: 1, contentType: "text/plain" }),
    results.delete(key, { signal }),
    results.ping(),
    read(results, key),
    results.list(key).next(),
    results.uploads.create(key, { contentType: "text/plain", signal }),
    results.uploads.sendPart(upload, { number: 1, bytes: Buffer.from("y"), crc32: "00000000" }, signal),
    results.uploads.complete(upload, [], { sizeBytes: 0, crc32: "00000000", signal }),
    results.uploads.abort(upload, signal),
    results.uploads.list(key, { signal }).next(),
  ].map(codeOf);
  expect(new Set(await Promise.all(refused))).toEqual(new Set(["BREAKER_OPEN"]));
  await expect(results.head(key)).rejects.toMatchObject({ retryAfterMs: expect.any(Number) });
  // Nothing but probes was sent; one call is up to three requests.
  expect(proxy.spoilt() - made).toBeLessThanOrEqual(3);

  await until("a probe that fails", () => proxy.spoilt() > made);
  proxy.heal();
  await until("the breaker to close", () => results.breaker?.isOpen === false);
  expect(changes).toEqual([true, false]);
  expect(await read(results, key)).toBe(1);
});

test("a signed URL needs no store", async () => {
  const { results } = open();
  proxy.spoil("any", "503");
  await fail(results);
  const signed = await results.presignGet("k", { filename: "f", contentType: "text/plain", ttlSeconds: 60 });
  expect(signed.url).toContain("X-Amz-Signature");
});

test.each(["reset", "500", "hanging", "answer lost"] as const)(
  "a store that answers with %s is away",
  async (trouble) => {
    const { results } = open();
    proxy.spoil("any", trouble);
    await fail(results);
  },
);

test("a body that breaks off counts, though its request was answered", async () => {
  const { results } = open();
  const key = `breaker/${randomUUID()}`;
  await results.put(key, Buffer.alloc(1_000), { sizeBytes: 1_000, contentType: "text/plain" });
  await Promise.all(Array.from({ length: MIN_CALLS }, () => read(results, key)));
  proxy.spoil("read", "truncated");
  for (let i = 0; i < MIN_CALLS && !results.breaker?.isOpen; i++) await codeOf(read(results, key));
  expect(results.breaker?.isOpen).toBe(true);
});

test("a call that fails with a store that is away has to wait, also when it is the first", async () => {
  const { results } = open();
  proxy.spoil("any", "reset");
  await expect(results.head("k")).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: RESET_MS / 10 });
  expect(results.breaker?.isOpen).toBe(false);
  proxy.spoil("read", "reset");
  expect(["UNAVAILABLE", "TIMEOUT"]).toContain(await codeOf(read(results, "k")));
});

test("what is not there, and what was given up, opens nothing", async () => {
  const { results } = open();
  for (let i = 0; i < 3 * MIN_CALLS; i++) {
    expect(await results.head(randomUUID())).toBeNull();
    expect(await codeOf(read(results, randomUUID()))).toBe("NOT_FOUND");
    expect(await codeOf(results.delete("k", { signal: AbortSignal.abort() }))).toBe("ABORTED");
  }
  expect(results.breaker?.isOpen).toBe(false);
});

test("results and sources have one breaker at one endpoint, and two at two", async () => {
  const one = open();
  expect(one.source.breaker).toBe(one.results.breaker);
  const two = open({ sourceS3Endpoint: inject("s3").endpoint });
  proxy.spoil("any", "503");
  await fail(two.results);
  expect(two.source.breaker?.isOpen).toBe(false);
  await two.source.ping();
});

test("a store that asks for a long wait is not asked again meanwhile, and its wish is told", async () => {
  let asked = 0;
  const busy = createServer((_, answer) => {
    asked++;
    answer.writeHead(429, { "retry-after": "600" }).end();
  }).listen(0, "127.0.0.1");
  await once(busy, "listening");
  onTestFinished(() => void busy.close());
  const { results } = open({ s3Endpoint: `http://127.0.0.1:${(busy.address() as AddressInfo).port}` });
  await expect(results.head("k")).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 600_000 });
  await expect(read(results, "k")).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 600_000 });
  expect(asked).toBe(2);
});
