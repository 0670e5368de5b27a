import { type JobRecord, type PayloadKind, RECORD_MAX_BYTES } from "@longhaul/contracts";
import { fitsInRecord } from "@longhaul/job";
import { expect, test } from "vitest";
import { decodeJobEvent, encodeJobEvent } from "./job-event.ts";
import { aRecord, TRACEPARENT } from "./testing/fixtures.ts";

const encode = (record: JobRecord) =>
  encodeJobEvent({ type: "download.checkpoint.v1", record, source: "/longhaul/processor", traceparent: TRACEPARENT });

/** As many of them as lie in a record and not in object storage. */
function longest<T>(kind: PayloadKind, item: (index: number) => T): T[] {
  const list: T[] = [];
  while (fitsInRecord(kind, [...list, item(list.length)])) list.push(item(list.length));
  return list;
}

/** Everything in it is as long as it can be. A record that has both a result and a checkpoint is never written. */
function longestRecord(): JobRecord {
  const record = aRecord();
  const at = record.updatedAt;
  const user = "u".repeat(200);
  const name = "界".repeat(200);
  const key = `results/${user}/${record.id}/${"k".repeat(22)}`;
  const parts = longest("parts", (i): [number, string, string] => [i + 1, `"${"e".repeat(32)}"`, "00000000"]);
  const entry = { at, event: "handedback", writeId: "w".repeat(22), traceId: "t".repeat(32), actor: user };
  return {
    ...record,
    ...{ tenant: user, user, tier: "enterprise", clientIp: "f".repeat(45), userAgent: "ÿ".repeat(500) },
    spec: {
      ...record.spec,
      fileIds: longest("fileIds", (i) => 99_000_000 + i),
      name,
      // 8 KiB of JSON.
      metadata: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}`.padEnd(40, "k"), "v".repeat(364)])),
      callbackUrl: "c".repeat(2048),
    },
    plan: {
      entries: longest("plan", () => ["n".repeat(255), 1e9, `"${"e".repeat(32)}"`, "00000000", 1e12]),
      ref: null,
      filesMissing: 100_000,
      bytesTotal: Number.MAX_SAFE_INTEGER,
    },
    checkpoint: {
      upload: { key, id: "u".repeat(1024), partSize: 1e8 },
      parts,
      cursor: { entry: 1e5, offset: 1e15, crc: "00000000" },
      sealed: { sizeBytes: 1e15, crc32: "00000000", parts },
    },
    outcomes: { doneThrough: 1e5, exceptions: longest("exceptions", (i) => [99_000 + i, "PERMISSION_DENIED"]) },
    result: {
      ...{ kind: "owned", key, filename: name, sizeBytes: 1e15, contentType: "application/zip", crc32: "00000000" },
      ...{ partial: true, expiresAt: at },
    },
    // A run's lines name the run and its worker instead of an actor, and are shorter.
    timeline: Array.from({ length: 32 }, () => ({ ...entry, stage: "read-source", code: "SOURCE_UNAVAILABLE" })),
  };
}

test("a record in which everything is as long as it can be is stored, and read again", () => {
  const record = longestRecord();
  const bytes = encode(record);
  expect(bytes.length).toBeGreaterThan(0.75 * RECORD_MAX_BYTES);
  expect(bytes.length).toBeLessThanOrEqual(RECORD_MAX_BYTES);
  expect(decodeJobEvent(bytes, 7)).toMatchObject({ seq: 7, record });
});

test("a larger one is refused, and never cut", () => {
  const record = aRecord();
  const fileIds = Array.from({ length: 20_000 }, (_, i) => 10_000 + i);
  expect(() => encode({ ...record, spec: { ...record.spec, fileIds } })).toThrow(
    expect.objectContaining({ name: "BusError", code: "TOO_LARGE", message: expect.stringContaining(record.id) }),
  );
});
