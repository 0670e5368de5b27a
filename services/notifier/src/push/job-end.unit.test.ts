import type { JobRecord } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { at, erasedRecord, recordIn } from "../../../../libs/job/src/testing/index.ts";
import { endOf } from "./job-end.ts";

test.each([
  ["completed", "download.completed.v1"],
  ["failed", "download.failed.v1"],
  ["cancelled", "download.cancelled.v1"],
] as const)("a %s job has ended, two seconds after it was asked for", (status, type) => {
  expect(endOf({ type, record: recordIn(status) })).toEqual({ status, tier: "basic", seconds: 2 });
});

test("a job that is not at an end, and one that was erased, count for nothing", () => {
  expect(endOf({ type: "download.started.v1", record: recordIn("running") })).toBeNull();
  expect(endOf({ type: "download.erased.v1", record: erasedRecord() })).toBeNull();
});

test("an unfinished job that expires has ended; a result that expires is no second end", () => {
  const finished = recordIn("expired");
  const unfinished: JobRecord = { ...finished, result: null };
  expect(endOf({ type: "download.expired.v1", record: unfinished })?.status).toBe("expired");
  expect(endOf({ type: "download.expired.v1", record: finished })).toBeNull();
});

test("a job that was retried counts from its retry", () => {
  const record = recordIn("completed");
  const retried = { at: at(1.5).toISOString(), event: "retried", writeId: "w" };
  const [first, ...rest] = record.timeline;
  if (!first) throw new Error("a timeline begins with the request");
  const timeline = [first, retried, ...rest];
  expect(endOf({ type: "download.completed.v1", record: { ...record, timeline } })?.seconds).toBe(0.5);
});
