import type { StoredRecord } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { dueAt, forgottenAt, lifetimeSeconds } from "./retention.ts";
import { at, erasedRecord, POLICY, recordIn, T0 } from "./testing/index.ts";

const DAY = 24 * 60 * 60;

describe("lifetime of a write in JOBS", () => {
  test.each<[string, StoredRecord, number | null]>([
    ["queued", recordIn("queued"), null],
    ["running", recordIn("running"), null],
    ["paused", recordIn("paused"), null],
    ["completed: its result's time and a day", recordIn("completed"), 2 * DAY],
    ["failed", recordIn("failed"), 30 * DAY],
    ["cancelled", recordIn("cancelled"), 7 * DAY],
    ["expired", recordIn("expired"), DAY],
    ["erased", erasedRecord(), DAY],
  ])("%s", (_status, record, seconds) => {
    expect(lifetimeSeconds(record, POLICY, 0)).toBe(seconds);
    expect(lifetimeSeconds(record, POLICY, 1)).toBe(seconds === null ? null : Math.ceil(seconds * 1.1));
  });

  test("is at least a day, also when the result's time was over as it was written", () => {
    const late = recordIn("completed", { updatedAt: at(9 * DAY).toISOString() });
    expect(lifetimeSeconds(late, POLICY, 0)).toBe(DAY);
  });
});

test.each<[string, StoredRecord, Date | null]>([
  ["queued", recordIn("queued"), at(7 * DAY)],
  ["running", recordIn("running"), at(7 * DAY)],
  ["paused", recordIn("paused"), at(7 * DAY)],
  ["completed", recordIn("completed"), at(2 + DAY)],
  ["failed", recordIn("failed"), null],
  ["cancelled", recordIn("cancelled"), null],
  ["expired", recordIn("expired"), null],
  ["erased", erasedRecord(), null],
])("the expiry loop looks at a job that is %s", (_status, record, due) => {
  expect(dueAt(record)).toBe(due?.toISOString() ?? null);
});

describe("a view forgets", () => {
  test.each([
    ["queued", at(7 * DAY)],
    ["completed", at(2 + 8 * DAY)],
    ["failed", at(2 + 34 * DAY)],
    ["cancelled", at(2 + 8.7 * DAY)],
    ["expired", at(2 + 8 * DAY)],
  ] as const)("%s", (status, when) => {
    expect(forgottenAt(recordIn(status), POLICY)).toBe(when.toISOString());
  });

  test.each(["failed", "cancelled", "expired"] as const)("%s always later than JOBS does", (status) => {
    const record = recordIn(status, { updatedAt: T0.toISOString() });
    const seconds = lifetimeSeconds(record, POLICY, 1) ?? 0;
    expect(Date.parse(forgottenAt(record, POLICY))).toBeGreaterThan(at(seconds).getTime());
  });
});
