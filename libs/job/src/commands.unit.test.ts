import { JOB_STATUSES, type JobStatus } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { allowedCommands, type Command, type CommandType, decide } from "./commands.ts";
import { isLive } from "./end.ts";
import { jobError } from "./failure.ts";
import { retrying } from "./run.ts";
import { changed, DAY, given, inShort, NOW, RULES } from "./testing/decisions.ts";
import { at, recordIn, written } from "./testing/index.ts";

const NO = "INVALID_STATE";
const CLOSED = "RETRY_WINDOW_CLOSED";

describe("the control table", () => {
  // In the order of JOB_STATUSES: queued, running, paused, completed, failed, cancelled, expired.
  const table: Record<CommandType, string[]> = {
    cancel: ["cancelled", "cancelled", "cancelled", NO, NO, "same", NO],
    pause: ["paused", "paused", "same", NO, NO, NO, NO],
    resume: ["same", "same", "queued", NO, NO, NO, NO],
    retry: ["same", "same", NO, NO, "queued", "queued", CLOSED],
    expire: ["expired", "expired", "expired", "expired", NO, NO, "same"],
    erase: ["erased", "erased", "erased", "erased", "erased", "erased", "erased"],
  };
  const LONG_AFTER = at(30 * DAY);
  for (const [type, row] of Object.entries(table) as [CommandType, string[]][]) {
    test.each(JOB_STATUSES.map((status, i) => [status, row[i]]))(`${type} of a %s job: %s`, (status, expected) => {
      expect(inShort(given(status as JobStatus, type, {}, LONG_AFTER))).toBe(expected);
    });
  }

  test.each(JOB_STATUSES)("an archived %s job can be deleted and expired; retrying it is too late", (status) => {
    for (const [type, row] of Object.entries(table) as [CommandType, string[]][]) {
      const expected = type === "retry" ? CLOSED : row[JOB_STATUSES.indexOf(status)];
      expect(inShort(given(status, type, { archived: true }, LONG_AFTER))).toBe(expected);
    }
  });

  test.each<[JobStatus, string[]]>([
    ["queued", ["cancel", "pause"]],
    ["running", ["cancel", "pause"]],
    ["paused", ["cancel", "resume"]],
    ["completed", []],
    ["failed", ["retry"]],
    ["cancelled", ["retry"]],
    ["expired", []],
  ])("a %s job can be changed by %j", (status, commands) => {
    expect(allowedCommands(recordIn(status))).toEqual(commands);
  });

  test("a refusal names the state as it is shown, and what is possible in it", () => {
    expect(given("paused", "retry")).toEqual({
      kind: "refused",
      code: NO,
      currentStatus: "paused",
      allowed: ["cancel", "resume"],
    });
    expect(given("failed", "pause", { archived: true })).toMatchObject({ currentStatus: "failed", allowed: [] });
  });
});

describe.each(["queued", "running", "paused"] as const)("cancel of a %s job", (status) => {
  test("is the end of the generation, and drops the checkpoint", () => {
    const change = changed(given(status, "cancel"));

    expect(change.type).toBe("download.cancelled.v1");
    expect(change.record).toMatchObject({
      status: "cancelled",
      generation: 1,
      run: null,
      retryAt: null,
      error: null,
      checkpoint: null,
      result: null,
      completedAt: NOW.toISOString(),
      progress: { phase: "done" },
    });
    expect(change.entry).toMatchObject({ event: "cancelled", actor: "ada" });
  });
});

describe("pause", () => {
  test("takes the job from its run, and keeps the work done so far", () => {
    const before = recordIn("running", { crashes: 2 });
    const change = changed(decide(before, { type: "pause", actor: "ada", traceId: "t" }, NOW, RULES));

    expect(change.type).toBe("download.paused.v1");
    expect(change.record).toEqual({
      ...before,
      status: "paused",
      run: null,
      updatedAt: NOW.toISOString(),
      progress: { ...before.progress, phase: "waiting" },
    });
    expect(change.entry).toEqual({ at: NOW.toISOString(), event: "paused", actor: "ada", traceId: "t" });
  });

  test("of a job that waits for its next try ends the waiting", () => {
    const waiting = retrying(recordIn("running"), {
      error: jobError("SOURCE_TIMEOUT", "plan"),
      retryAt: at(200),
      waitsFor: null,
      now: at(5),
    });
    const change = changed(decide(written(waiting), { type: "pause", actor: "ada" }, NOW, RULES));
    expect(change.record).toMatchObject({ retryAt: null, failures: 1, error: { code: "SOURCE_TIMEOUT" } });
  });
});

describe("resume", () => {
  test("begins a generation that goes on where the job was: only crashes and waiting are forgotten", () => {
    const error = jobError("SOURCE_TIMEOUT", "read-source");
    const before = recordIn("paused", { failures: 1, crashes: 3, error });
    const change = changed(decide(before, { type: "resume", actor: "ada" }, NOW, RULES));

    expect(change.type).toBe("download.requested.v1");
    expect(before.checkpoint).not.toBeNull();
    expect(change.record).toEqual({
      ...before,
      status: "queued",
      generation: 2,
      crashes: 0,
      updatedAt: NOW.toISOString(),
    });
    expect(change.entry).toMatchObject({ event: "resumed", actor: "ada" });
  });
});

describe.each(["failed", "cancelled"] as const)("retry of a %s job", (status) => {
  const plan = {
    entries: [["a", 5, null, null, 0]] as [[string, number, null, null, number]],
    ref: null,
    filesMissing: 0,
    bytesTotal: 5,
  };
  const before = recordIn(status, {
    plan,
    named: true,
    failures: 3,
    crashes: 1,
    outcomes: { doneThrough: 1, exceptions: [] },
    usage: { bytesRead: 5, bytesWritten: 5, s3Calls: 2, copies: 0 },
  });
  const change = changed(decide(before, { type: "retry", actor: "ada" }, NOW, RULES));

  test("begins a generation anew: of the work only the plan is kept, and that keys were named", () => {
    expect(change.type).toBe("download.requested.v1");
    expect(change.record).toMatchObject({
      status: "queued",
      generation: 2,
      plan,
      named: true,
      failures: 0,
      crashes: 0,
      run: null,
      retryAt: null,
      error: null,
      startedAt: null,
      completedAt: null,
      checkpoint: null,
      outcomes: null,
      result: null,
      usage: { bytesRead: 0, bytesWritten: 0, s3Calls: 0, copies: 0 },
      progress: { filesDone: 0, bytesTotal: 5, bytesDone: 0, phase: "waiting" },
    });
  });

  test("gets a new deadline, and keeps who asked for what, and its history", () => {
    expect(change.record).toMatchObject({
      deadlineAt: at(100 + 7 * DAY).toISOString(),
      createdAt: before.createdAt,
      user: before.user,
      spec: before.spec,
      bodyHash: before.bodyHash,
      timeline: before.timeline,
    });
  });
});

test("a generation that is begun may have another lane than the one before; nothing else changes lanes", () => {
  const laneAfter = (status: JobStatus, type: Command["type"]) => {
    const { record } = changed(decide(recordIn(status), { type, actor: "ada", lane: "bulk" }, NOW, RULES));
    return isLive(record) ? record.spec.lane : null;
  };
  expect(laneAfter("failed", "retry")).toBe("bulk");
  expect(laneAfter("paused", "resume")).toBe("bulk");
  expect(laneAfter("running", "pause")).toBe("fast");
  expect(laneAfter("queued", "cancel")).toBe("fast");
});
