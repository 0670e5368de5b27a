import { expect, test } from "vitest";
import { erasedRecord, recordIn } from "../../libs/job/src/testing/index.ts";
import type { Job } from "../support/download-client.ts";
import { newFollower, see, wrongState } from "./follower.ts";

/** Somebody who was shown these states, in this order. */
function whoSaw(...states: [version: string, status: string][]) {
  const follower = newFollower("a", "ann");
  for (const [version, status] of states) see(follower, { type: "job", version, job: { status } as Job });
  return follower;
}
const newest = { seq: 9, record: recordIn("completed") };

test("whoever was shown the newest write has seen the job's end", () => {
  expect(wrongState(whoSaw(["7.0", "queued"], ["8.2", "processing"], ["9.0", "completed"]), newest)).toBeNull();
  expect(wrongState(whoSaw(["9.0", "processing"]), { seq: 9, record: recordIn("running") })).toBeNull();
});

test("an older state at the end, or none, is told", () => {
  expect(wrongState(whoSaw(["8.2", "processing"]), newest)).toContain("shows processing (version 8), not completed");
  expect(wrongState(whoSaw(), newest)).toContain("shows nothing");
});

test("an older version after a newer one is told, whatever comes afterwards", () => {
  const follower = whoSaw(["8.10", "processing"], ["8.9", "processing"], ["9.0", "completed"]);
  expect(wrongState(follower, newest)).toBe("its socket showed version 8.9 after 8.10");
  const progress = whoSaw(["8.1", "processing"]);
  see(progress, { type: "progress", version: "8.0" });
  expect(wrongState(progress, newest)).toContain("8.0 after 8.1");
});

test("an erased job, and no other one, is said to be gone", () => {
  const gone = whoSaw(["8.0", "processing"]);
  expect(wrongState(gone, { seq: 9, record: erasedRecord() })).toContain("does not know that it was erased");
  see(gone, { type: "bye", code: "JOB_ERASED" });
  expect(wrongState(gone, { seq: 9, record: erasedRecord() })).toBeNull();
  expect(wrongState(gone, newest)).toContain("was told that it is erased");
});
