import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { objectsConfig } from "../../../tests/support/objects.ts";
import { createObjects } from "./create-objects.ts";
import { PAYLOAD_MAX_BYTES } from "./payload-bytes.ts";

const settings = objectsConfig(inject("s3"));
const objects = createObjects(settings);
const { payloads, results } = objects;
const owner = { tenant: "acme", id: randomUUID() };
const value = [["räume.zip", 1, null, null, 0], "FILE_NOT_FOUND"];

beforeAll(() => results.ensure({ origins: ["http://localhost:3000"] }));
afterAll(() => objects.close());

const put = (key: string, text: string) =>
  results.put(key, Buffer.from(text), { sizeBytes: Buffer.byteLength(text), contentType: "application/json" });

test("what was put is found again by its reference, under a key of the job that is new each time", async () => {
  const refs = [await payloads.put(owner, value), await payloads.put(owner, value)];
  for (const ref of refs) {
    expect(ref.key).toMatch(new RegExp(`^payload/acme/${owner.id}/[A-Za-z0-9_-]{22}$`));
    expect(await payloads.get(ref)).toEqual(value);
  }
  const text = JSON.stringify(value);
  const sha256 = createHash("sha256").update(text).digest("hex");
  expect(refs[0]).toMatchObject({ sizeBytes: Buffer.byteLength(text), sha256 });
  expect(refs[0]?.key).not.toBe(refs[1]?.key);
});

test("100,000 file ids go there and back", async () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => 10_000 + i);
  expect(await payloads.get(await payloads.put(owner, ids))).toEqual(ids);
});

test.each([
  ["other bytes of the same length", (text: string) => text.replace("1", "2")],
  ["fewer bytes", (text: string) => text.slice(1)],
  ["more bytes", (text: string) => `${text} `],
  ["nothing", () => ""],
])("%s in its place are told from it", async (_, changed) => {
  const ref = await payloads.put(owner, value);
  await put(ref.key, changed(JSON.stringify(value)));
  await expect(payloads.get(ref)).rejects.toMatchObject({ name: "ObjectsError", code: "DAMAGED" });
});

test("one that is gone is not found", async () => {
  const ref = await payloads.put(owner, value);
  await results.delete(ref.key, { signal: AbortSignal.timeout(10_000) });
  await expect(payloads.get(ref)).rejects.toMatchObject({ name: "ObjectsError", code: "NOT_FOUND" });
});

test("more than any reader would take is neither put nor read", async () => {
  const huge = "x".repeat(PAYLOAD_MAX_BYTES);
  await expect(payloads.put(owner, huge)).rejects.toMatchObject({ code: "REJECTED" });
  const ref = { ...(await payloads.put(owner, value)), sizeBytes: PAYLOAD_MAX_BYTES + 1 };
  await expect(payloads.get(ref)).rejects.toMatchObject({ code: "DAMAGED" });
});

test("a store that is away, and a caller that gives up, end both calls", async () => {
  const away = createObjects({ ...settings, s3Endpoint: "http://127.0.0.1:1", s3CallTimeoutMs: 500 });
  onTestFinished(() => away.close());
  const ref = await payloads.put(owner, value);
  const codes = /UNAVAILABLE|TIMEOUT/;
  await expect(away.payloads.put(owner, value)).rejects.toMatchObject({ code: expect.stringMatching(codes) });
  await expect(away.payloads.get(ref)).rejects.toMatchObject({ code: expect.stringMatching(codes) });
  const stopped = AbortSignal.abort();
  await expect(payloads.put(owner, value, stopped)).rejects.toMatchObject({ code: "ABORTED" });
  await expect(payloads.get(ref, stopped)).rejects.toMatchObject({ code: "ABORTED" });
});
