import type { Checkpoint, JobRecord, Usage } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { jobError } from "./failure.ts";
import { checkpointed, claim, completed, deadLettered, failed, handedBack, retrying, takeOver } from "./run.ts";
import { aRun, at, recordIn } from "./testing/index.ts";

const upload = (id: string | null, entry = 0, offset = 0): Checkpoint => ({
  upload: { key: "results/acme/x/old", id, partSize: 5 },
  parts: [],
  cursor: { entry, offset, crc: "00000000" },
  sealed: null,
});
const OUTCOMES = { doneThrough: 1, exceptions: [] };
const TIMEOUT = jobError("SOURCE_TIMEOUT", "read-source", 70_000);

describe("claim", () => {
  const queued = recordIn("queued");
  const input = { run: aRun(), key: null, now: at(9), traceId: "t" };

  test("makes the job this run's, from now on", () => {
    const change = claim(queued, input);

    expect(change.type).toBe("download.started.v1");
    expect(change.record).toMatchObject({
      status: "running",
      run: input.run,
      retryAt: null,
      startedAt: at(9).toISOString(),
      crashes: 0,
      progress: { phase: "planning" },
    });
    expect(change.entry).toEqual({
      at: at(9).toISOString(),
      event: "started",
      run: "run-1",
      worker: "processor-1",
      traceId: "t",
    });
  });

  test("of a later try keeps the first start and the last error, and ends the waiting", () => {
    const again = recordIn("queued", { startedAt: at(1).toISOString(), retryAt: at(3).toISOString(), error: TIMEOUT });
    expect(claim(again, input).record).toMatchObject({ startedAt: at(1).toISOString(), retryAt: null, error: TIMEOUT });
  });

  test("names the fresh key of a result of its own before anything exists under it", () => {
    expect(claim(queued, { ...input, key: "results/acme/x/new" }).record).toMatchObject({
      named: true,
      checkpoint: { upload: { key: "results/acme/x/new", id: null }, parts: [], sealed: null },
    });
  });

  test("names nothing when the result will be borrowed", () => {
    expect(claim(queued, input).record).toMatchObject({ named: false, checkpoint: null });
  });

  test("inherits a key whose upload exists, with all that was done under it", () => {
    const before = recordIn("queued", { checkpoint: upload("U1", 3, 7), outcomes: OUTCOMES });
    const { record } = claim(before, { ...input, key: "results/acme/x/new" });
    expect(record).toMatchObject({ checkpoint: before.checkpoint, outcomes: OUTCOMES });
  });

  test.each(["results/acme/x/new", null])("never inherits a key without an upload (fresh key: %s)", (key) => {
    const before = recordIn("queued", { checkpoint: upload(null), outcomes: OUTCOMES });
    const record = claim(before, { ...input, key }).record as JobRecord;
    expect(record.checkpoint?.upload.key ?? null).toBe(key);
    expect(record.outcomes).toBeNull();
  });
});

test("a takeover is a claim that counts the crash, and goes on with the same try", () => {
  const before = recordIn("running", { failures: 1, crashes: 1 });
  const change = takeOver(before, { run: aRun({ id: "run-2" }), key: null, now: at(40) });

  expect(change.type).toBe("download.started.v1");
  expect(change.record).toMatchObject({ status: "running", run: { id: "run-2" }, crashes: 2, failures: 1 });
  expect(change.entry).toMatchObject({ event: "takeover", run: "run-2" });
});

describe("checkpoint", () => {
  const before = recordIn("running", { crashes: 2, checkpoint: upload("U1", 1, 100) });
  const save = (checkpoint: Checkpoint | null, record = before) =>
    checkpointed(record, { checkpoint, outcomes: OUTCOMES, progress: record.progress, now: at(20) });

  test.each([
    ["a later byte of the same entry", upload("U1", 1, 101), 0],
    ["a later entry", upload("U1", 2, 0), 0],
    ["the same byte", upload("U1", 1, 100), 2],
    ["a new beginning under another key", upload(null), 2],
    ["no upload any more", null, 2],
  ])("at %s leaves so many crashes", (_where, checkpoint, crashes) => {
    expect(save(checkpoint).record).toMatchObject({ crashes, checkpoint, outcomes: OUTCOMES, status: "running" });
  });

  test("before where the upload was leaves the crashes, and the cursor: coming there again is no progress", () => {
    const again = save(upload("U1", 0, 50)).record as JobRecord;
    expect(again).toMatchObject({ crashes: 2, checkpoint: { cursor: { entry: 1, offset: 100 } } });
    expect(save(upload("U1", 1, 100), again).record).toMatchObject({ crashes: 2 });
  });

  test("is told in no timeline", () => {
    expect(save(null)).toMatchObject({ type: "download.checkpoint.v1", entry: null });
  });

  test("keeps the plan unless there is a new one", () => {
    const plan = { entries: [], ref: null, filesMissing: 0, bytesTotal: 0 };
    const state = { checkpoint: null, outcomes: null, progress: before.progress, now: at(20) };
    expect(checkpointed({ ...before, plan }, state).record).toMatchObject({ plan });
    expect(checkpointed(before, { ...state, plan }).record).toMatchObject({ plan });
  });

  test("with a plan that lies in object storage has named a key", () => {
    const ref = { key: "payload/acme/x/p", sha256: "aa", sizeBytes: 1 };
    const plan = { entries: null, ref, filesMissing: 0, bytesTotal: null };
    const state = { checkpoint: null, outcomes: null, progress: before.progress, plan, now: at(20) };
    expect(checkpointed({ ...before, named: false, checkpoint: null }, state).record).toMatchObject({ named: true });
  });
});

describe("a failed try", () => {
  const before = recordIn("running", { failures: 1, checkpoint: upload("U1", 1, 1) });
  const input = { error: TIMEOUT, retryAt: at(30), now: at(20) };

  test("waits for the next one, with all its work", () => {
    const change = retrying(before, { ...input, waitsFor: null });

    expect(change.type).toBe("download.retrying.v1");
    expect(change.record).toMatchObject({
      status: "queued",
      run: null,
      failures: 2,
      retryAt: at(30).toISOString(),
      error: TIMEOUT,
      checkpoint: before.checkpoint,
      progress: { phase: "retry_wait", bytesPerSecond: null, currentFileId: null },
    });
    expect(change.entry).toMatchObject({ run: "run-1", stage: "read-source", code: "SOURCE_TIMEOUT" });
  });

  test.each(["SOURCE_CHANGED", "CHECKSUM_MISMATCH"] as const)(
    "by %s leaves nothing of a plan that is wrong",
    (code) => {
      const plan = { entries: [], ref: null, filesMissing: 0, bytesTotal: 0 };
      const changed = { ...input, error: jobError(code, "read-source") };
      const nothing = { plan: null, checkpoint: null, outcomes: null };
      const planned = { ...before, plan, outcomes: OUTCOMES };
      expect(retrying(planned, { ...changed, waitsFor: null }).record).toMatchObject(nothing);
      expect(failed(planned, changed).record).toMatchObject(nothing);
      expect(retrying({ ...before, plan }, { ...input, waitsFor: null }).record).toMatchObject({ plan });
    },
  );

  test.each(["source", "storage"] as const)("is not used up while %s is away", (waitsFor) => {
    expect(retrying(before, { ...input, waitsFor }).record).toMatchObject({
      status: "queued",
      run: null,
      failures: 1,
      retryAt: at(30).toISOString(),
      progress: { phase: `waiting_for_${waitsFor}` },
    });
  });
});

test("what a run has used is in the record, however it ended; nothing said of it leaves it as it was", () => {
  const usage = { bytesRead: 7, bytesWritten: 5, s3Calls: 3, copies: 1 };
  const before = recordIn("running", { usage: { ...usage, bytesRead: 6 } });
  const [error, retryAt, now] = [TIMEOUT, at(30), at(20)];
  for (const ended of [
    (said: { usage?: Usage }) => retrying(before, { error, retryAt, waitsFor: null, now, ...said }),
    (said: { usage?: Usage }) => failed(before, { error, now, ...said }),
    (said: { usage?: Usage }) => handedBack(before, { now, ...said }),
  ]) {
    expect(ended({ usage }).record).toMatchObject({ usage });
    expect(ended({}).record).toMatchObject({ usage: before.usage });
  }
});

test("a hand-back uses up no try and counts no crash", () => {
  const before = recordIn("running", { failures: 1, crashes: 1, checkpoint: upload("U1", 1, 1) });
  const change = handedBack(before, { now: at(20) });

  expect(change.type).toBe("download.handedback.v1");
  expect(change.record).toMatchObject({
    status: "queued",
    run: null,
    retryAt: null,
    failures: 1,
    crashes: 1,
    checkpoint: before.checkpoint,
  });
});

test("completed: the result is there, the checkpoint goes, and no error is left", () => {
  const done = recordIn("completed");
  const result = done.result;
  if (result === null) throw new Error("no result");
  const before = recordIn("running", { failures: 1, error: TIMEOUT, checkpoint: upload("U1", 1, 1) });
  const progress = { ...before.progress, filesDone: 1, bytesPerSecond: 10 };
  const change = completed(before, { result, outcomes: OUTCOMES, progress, usage: done.usage, now: at(20) });

  expect(change.type).toBe("download.completed.v1");
  expect(change.record).toMatchObject({
    status: "completed",
    run: null,
    error: null,
    failures: 1,
    checkpoint: null,
    result,
    outcomes: OUTCOMES,
    completedAt: at(20).toISOString(),
    progress: { filesDone: 1, bytesPerSecond: null, phase: "done" },
  });
});

describe("failed", () => {
  const before = recordIn("running", { failures: 2, checkpoint: upload("U1", 1, 1) });

  test("by an error that might have passed has used up the last try", () => {
    const change = failed(before, { error: TIMEOUT, now: at(20) });

    expect(change.type).toBe("download.failed.v1");
    expect(change.record).toMatchObject({
      status: "failed",
      run: null,
      failures: 3,
      error: TIMEOUT,
      checkpoint: null,
      result: null,
      completedAt: at(20).toISOString(),
    });
  });

  test("for good leaves the count of failures, and keeps what is known of the files", () => {
    const error = jobError("ALL_FILES_FAILED", "plan");
    const outcomes = { doneThrough: 1, exceptions: [[0, "FILE_NOT_FOUND"]] as [number, "FILE_NOT_FOUND"][] };
    expect(failed(before, { error, outcomes, now: at(20) }).record).toMatchObject({ failures: 2, outcomes });
  });

  test("as a dead letter counts the last crash and names who found it", () => {
    const change = deadLettered(recordIn("running", { crashes: 4 }), { worker: "processor-2", now: at(20) });
    expect(change.type).toBe("download.failed.v1");
    expect(change.record).toMatchObject({
      status: "failed",
      crashes: 5,
      failures: 0,
      error: { code: "DEAD_LETTERED" },
    });
    expect(change.entry).toMatchObject({ worker: "processor-2", code: "DEAD_LETTERED" });
  });
});
