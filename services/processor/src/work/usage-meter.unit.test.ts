import { buffer } from "node:stream/consumers";
import type { Usage } from "@longhaul/contracts";
import { addUsage } from "@longhaul/job";
import { beforeEach, expect, test } from "vitest";
import type { ListedPart, Payloads, ResultStore } from "../job/ports.ts";
import { UsageMeter } from "./usage-meter.ts";

const BEFORE: Usage = { bytesRead: 1, bytesWritten: 2, s3Calls: 3, copies: 4 };
const { signal } = new AbortController();
let usage = BEFORE;
const meter = new UsageMeter((more) => {
  usage = addUsage(usage, more);
});
beforeEach(() => {
  usage = BEFORE;
});

test("a piece read counts when it comes, and a call of S3 also when it fails", async () => {
  const refused = new Error("refused");
  const source = {
    find: () => Promise.reject(refused),
    async *open() {
      yield Buffer.alloc(10);
      throw refused;
    },
  };
  const file = { fileId: 1, name: "a", sizeBytes: 20, etag: null, crc32: null, modifiedAt: new Date(0) };
  for (const isS3 of [true, false]) {
    const counted = meter.source(source, { isS3 });
    await expect(counted.find(1, signal)).rejects.toBe(refused);
    await expect(buffer(counted.open(file, 0, signal))).rejects.toBe(refused);
  }
  expect(usage).toEqual({ ...BEFORE, bytesRead: BEFORE.bytesRead + 20, s3Calls: BEFORE.s3Calls + 2 });
});

test.each([
  [0, 1],
  [1_000, 1],
  [1_001, 2],
  [9_000, 9],
])("a list of %d parts is %d calls", async (parts, calls) => {
  const part: ListedPart = { number: 1, etag: "", sizeBytes: 1, crc32: null };
  const store = { listParts: async () => new Array(parts).fill(part) } as Partial<ResultStore> as ResultStore;
  await meter.store(store).listParts({ key: "k", id: "i" }, { signal });
  expect(usage.s3Calls - BEFORE.s3Calls).toBe(calls);
});

test("a list beside the record is a call, and no byte of the job", async () => {
  const ref = { key: "payload/acme/1/a", sha256: "", sizeBytes: 5 };
  const payloads: Payloads = { put: async () => ref, get: async () => [] };
  const counted = meter.payloads(payloads);
  await counted.put({ tenant: "acme", id: "1" }, [], signal);
  await counted.get(ref, signal);
  expect(usage).toEqual({ ...BEFORE, s3Calls: BEFORE.s3Calls + 2 });
});
