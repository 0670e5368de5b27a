import { expect, test } from "vitest";
import { at, erasedRecord, recordIn, specOf, T0 } from "../../job/src/testing/index.ts";
import { type JobView, viewOf } from "./view.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const NINE_DAYS = 777_600;

test("a view holds the record and what lists sort and filter by", () => {
  const record = recordIn("queued");

  const view = viewOf(record, 42, TRACE_ID, NINE_DAYS) as JobView;

  expect(view).toEqual({
    _id: record.id,
    seq: 42,
    n: 0,
    viewVersion: 1,
    owner: "acme/ada.lovelace",
    status: "queued",
    errorCode: null,
    createdAt: T0,
    updatedAt: T0,
    dueAt: new Date(record.deadlineAt),
    fileIds: [70_000],
    traceId: TRACE_ID,
    record,
  });
});

test("a completed job is due when its result expires", () => {
  const record = recordIn("completed");
  expect((viewOf(record, 1, TRACE_ID, NINE_DAYS) as JobView).dueAt?.toISOString()).toBe(record.result?.expiresAt);
});

test("a failed job is never due, and its error can be filtered by", () => {
  const view = viewOf(recordIn("failed"), 1, TRACE_ID, NINE_DAYS) as JobView;
  expect(view).not.toHaveProperty("dueAt");
  expect(view.errorCode).toBe("FILE_NOT_FOUND");
});

test("a list of files that is not in the record, or is too long, is not indexed in full", () => {
  const ref = { key: "payload/acme/1/2", sha256: "", sizeBytes: 1 };
  const elsewhere = recordIn("queued", { spec: specOf({ fileIds: null, ref, filesTotal: 100_000 }) });
  const long = recordIn("queued", { spec: specOf({ fileIds: Array.from({ length: 1001 }, (_, i) => 10_000 + i) }) });

  expect((viewOf(elsewhere, 1, TRACE_ID, NINE_DAYS) as JobView).fileIds).toEqual([]);
  expect((viewOf(long, 1, TRACE_ID, NINE_DAYS) as JobView).fileIds).toHaveLength(1000);
});

test("of an erased job a tombstone is left, for so long after its last write", () => {
  const record = erasedRecord();
  const until = at(3 + NINE_DAYS);
  expect(viewOf(record, 7, TRACE_ID, NINE_DAYS)).toEqual({ _id: record.id, seq: 7, erased: true, until });
});
