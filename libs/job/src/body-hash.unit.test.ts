import { expect, test } from "vitest";
import { bodyHash } from "./body-hash.ts";
import { specOf } from "./testing/index.ts";

const spec = specOf({ fileIds: [70_000, 70_001], metadata: { a: "1", b: "2" } });
const hash = bodyHash(spec);

test("a request that asks for the same has the same hash", () => {
  expect(hash).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(bodyHash(structuredClone(spec))).toBe(hash);
  expect(bodyHash({ ...spec, metadata: { b: "2", a: "1" } })).toBe(hash);
});

test("what the service adds does not count", () => {
  expect(bodyHash({ ...spec, lane: "bulk", maxFileBytes: 1, sourceKind: "http" } as typeof spec)).toBe(hash);
});

test.each<[string, Partial<typeof spec>]>([
  ["files", { fileIds: [70_000] }],
  ["order of files", { fileIds: [70_001, 70_000] }],
  ["class", { class: "high" }],
  ["archive", { archive: "zip" }],
  ["name", { name: "x" }],
  ["metadata", { metadata: { a: "2", b: "1" } }],
  ["callback", { callbackUrl: "https://example.org/" }],
  ["expiry", { expiresInSeconds: 300 }],
])("another %s is another request", (_what, difference) => {
  expect(bodyHash({ ...spec, ...difference })).not.toBe(hash);
});
