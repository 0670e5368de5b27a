import { storedRecord, TIMELINE_MAX } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { stamp, wroteIt } from "./change.ts";
import { newJob } from "./job.ts";
import { checkpointed, claim, handedBack } from "./run.ts";
import { aRun, at, erasedRecord, newJobInput, recordIn, written } from "./testing/index.ts";

test("a stamped record carries the id of its write, and tells of it in the timeline", () => {
  const record = written(newJob(newJobInput()), "w0");

  expect(record.writeId).toBe("w0");
  expect(record.timeline).toEqual([
    { at: record.createdAt, event: "created", writeId: "w0", traceId: "0af7651916cd43dd8448eb211c80319c" },
  ]);
});

test("a line of the timeline leaves out what is not known", () => {
  const record = written(handedBack(recordIn("running"), { now: at(2) }), "w2");

  expect(record.timeline.at(-1)).toStrictEqual({
    at: at(2).toISOString(),
    event: "handedback",
    writeId: "w2",
    run: "run-1",
    worker: "processor-1",
  });
});

test("a checkpoint changes the write id and adds no line", () => {
  const before = recordIn("running");
  const after = written(
    checkpointed(before, { checkpoint: null, outcomes: null, progress: before.progress, now: at(5) }),
    "w5",
  );

  expect(after.writeId).toBe("w5");
  expect(after.timeline).toEqual(before.timeline);
});

test("stamping leaves the change as it was", () => {
  const change = newJob(newJobInput());
  stamp(change, "w0");
  expect(change.record).toMatchObject({ writeId: "", timeline: [] });
});

test("a full timeline keeps its first line and the newest of the rest", () => {
  let record = recordIn("queued");
  for (let n = 1; n <= 50; n++) {
    const running = written(claim(record, { run: aRun(), key: null, now: at(n) }), `claim-${n}`);
    record = written(handedBack(running, { now: at(n) }), `back-${n}`);
  }

  expect(record.timeline).toHaveLength(TIMELINE_MAX);
  expect(record.timeline[0]).toMatchObject({ event: "created", writeId: "write-0" });
  expect(record.timeline.slice(-2).map((entry) => entry.writeId)).toEqual(["claim-50", "back-50"]);
  expect(record.timeline[1]?.writeId).toBe("back-35");
  expect(storedRecord.safeParse(record).success).toBe(true);
});

test("a write is found again while it is the newest, and when others have written since", () => {
  const mine = written(claim(recordIn("queued"), { run: aRun(), key: null, now: at(1) }), "mine");
  const later = written(handedBack(mine, { now: at(2) }), "theirs");

  expect(wroteIt(mine, "mine")).toBe(true);
  expect(wroteIt(later, "mine")).toBe(true);
  expect(wroteIt(later, "never")).toBe(false);
});

test("of an erased job only the erasing write is found", () => {
  expect(wroteIt(erasedRecord(), "write-erase")).toBe(true);
  expect(wroteIt(erasedRecord(), "write-1")).toBe(false);
});
