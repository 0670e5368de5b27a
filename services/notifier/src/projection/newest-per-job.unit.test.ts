import type { StoredMessage } from "@longhaul/bus";
import { expect, test } from "vitest";
import { recordIn } from "../../../../libs/job/src/testing/index.ts";
import { newestPerJob } from "./newest-per-job.ts";

function message(id: string, seq: number): StoredMessage {
  const record = recordIn("queued", { id });
  return { seq, record, type: "download.requested.v1", traceparent: record.traceparent, bytes: new Uint8Array() };
}

test("of each job the highest sequence is left, in whatever order they come", () => {
  const messages = [message("a", 1), message("b", 2), message("a", 5), message("a", 3), message("c", 4)];
  expect(newestPerJob(messages).map(({ record, seq }) => `${record.id}${seq}`)).toEqual(["a5", "b2", "c4"]);
});

test("nothing of nothing", () => {
  expect(newestPerJob([])).toEqual([]);
});
