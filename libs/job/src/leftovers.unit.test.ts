import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { leftovers } from "./leftovers.ts";
import { jobOfKey, ownPrefixes, payloadKey, resultKey } from "./own-keys.ts";
import { erasedRecord, recordIn } from "./testing/index.ts";

const { id, tenant } = recordIn("queued");
const [results = "", payload = ""] = ownPrefixes({ id, tenant });
const ref = (name: string) => ({ key: `${payload}${name}`, sha256: "s", sizeBytes: 1 });

/** Every field that can name a key does. */
function namingAll(status: JobRecord["status"]): JobRecord {
  const record = recordIn(status);
  const upload = { key: `${results}now`, id: "u1", partSize: 1 };
  const cursor = { entry: 0, offset: 0, crc: "00000000" };
  const sealed = { sizeBytes: 1, crc32: "00000000", parts: { ref: ref("seal") } };
  return {
    ...record,
    spec: { ...record.spec, ref: ref("spec") },
    plan: { entries: null, ref: ref("plan"), filesMissing: 0, bytesTotal: null },
    outcomes: { doneThrough: 0, exceptions: { ref: ref("outcomes") } },
    checkpoint: record.checkpoint && { upload, parts: { ref: ref("parts") }, cursor, sealed },
    result: record.result && { ...record.result, key: `${results}result` },
  };
}

const FOUND = {
  uploads: [
    { key: `${results}now`, id: "u1" },
    { key: `${results}result`, id: "u2" },
    { key: `${results}old`, id: "u3" },
  ],
  objects: [
    `${results}now`,
    `${results}result`,
    `${results}older`,
    ...["spec", "plan", "outcomes", "parts", "seal"].map((n) => `${payload}${n}`),
  ],
};
const short = (keys: string[]) => keys.map((key) => key.split("/").at(-1)).sort();

describe.each<{ state: string; record: StoredRecord | null; uploads: string[]; keys: string[] }>([
  { state: "running", record: namingAll("running"), uploads: ["old", "result"], keys: ["old", "older", "result"] },
  { state: "paused", record: namingAll("paused"), uploads: ["old", "result"], keys: ["old", "older", "result"] },
  {
    state: "completed",
    record: namingAll("completed"),
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "parts", "seal"],
  },
  {
    state: "failed",
    record: namingAll("failed"),
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "parts", "result", "seal"],
  },
  {
    state: "cancelled",
    record: namingAll("cancelled"),
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "parts", "result", "seal"],
  },
  {
    state: "expired",
    record: namingAll("expired"),
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "parts", "result", "seal"],
  },
  {
    state: "erased",
    record: erasedRecord(),
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "outcomes", "parts", "plan", "result", "seal", "spec"],
  },
  {
    state: "known nowhere",
    record: null,
    uploads: ["now", "old", "result"],
    keys: ["now", "old", "older", "outcomes", "parts", "plan", "result", "seal", "spec"],
  },
])("of a job that is $state", ({ record, uploads, keys }) => {
  test("goes what it does not name", () => {
    const gone = leftovers(id, record, FOUND);
    expect(short(gone.uploads.map(({ key }) => key))).toEqual(uploads);
    expect(short(gone.keys)).toEqual(keys);
  });
});

test("a key that was claimed and has no upload id yet is named with whatever upload is under it", () => {
  const claimed = recordIn("running");
  const key = claimed.checkpoint?.upload.key ?? "";
  expect(leftovers(id, claimed, { uploads: [{ key }], objects: [key] })).toEqual({ uploads: [], keys: [] });
});

test("the object that a borrowed result names, and any other that is not the job's own, is never touched", () => {
  const other = "00000000-0000-4000-8000-000000000000";
  const objects = [
    "downloads/70000.zip",
    `results/${tenant}/${other}/x`,
    `${results.slice(0, -1)}`,
    `resultsX/a/${id}/x`,
  ];
  expect(leftovers(id, erasedRecord(), { uploads: [{ key: "downloads/1" }], objects })).toEqual({
    uploads: [],
    keys: [],
  });
});

test("a key tells its job, whatever the tenant is called", () => {
  expect(jobOfKey(`results/acme/${id}/r`)).toBe(id);
  expect(jobOfKey(resultKey({ tenant: "a/b", id }, "r"))).toBe(id);
  const owner = { tenant: "acme", id };
  expect([resultKey(owner, "r"), payloadKey(owner, "p")]).toEqual([`results/acme/${id}/r`, `payload/acme/${id}/p`]);
  expect(jobOfKey(`payload/a/b/${id}/r`)).toBe(id);
  for (const key of [
    `results/${id}/r`,
    `results/acme/${id}/`,
    `downloads/acme/${id}/r`,
    "results/acme/*/r",
    "results/a/b/c",
  ]) {
    expect(jobOfKey(key), key).toBeNull();
  }
});
