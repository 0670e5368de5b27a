import { apiJob, JOB_STATUSES, type JobRecord, type JobStatus } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { jobError } from "./failure.ts";
import { present, presentProgress } from "./present.ts";
import { noProgress } from "./progress.ts";
import { claim, completed, handedBack, retrying } from "./run.ts";
import { aRun, at, POLICY, recordIn, specOf, written } from "./testing/index.ts";

const VERSION = { seq: 42, n: 7 };
const shown = (record: JobRecord) => present(record, VERSION, POLICY);
const TIMEOUT = jobError("SOURCE_TIMEOUT", "read-source", 70_000);
const waiting = written(retrying(recordIn("running"), { error: TIMEOUT, retryAt: at(9), waitsFor: null, now: at(5) }));

describe("the state table", () => {
  const deadlined = recordIn("expired", {
    result: null,
    error: jobError("DEADLINE_EXCEEDED", "claim"),
    startedAt: null,
  });
  type Column = {
    startedAt: boolean;
    completedAt: boolean;
    error: string | null;
    result: boolean;
    nextAttemptAt: boolean;
  };
  const nothing: Column = { startedAt: false, completedAt: false, error: null, result: false, nextAttemptAt: false };
  const started = { ...nothing, startedAt: true };
  const ended = { ...started, completedAt: true };

  test.each<[string, JobRecord, Column]>([
    ["queued", recordIn("queued"), nothing],
    ["queued, attempt 2", waiting, { ...started, error: "SOURCE_TIMEOUT", nextAttemptAt: true }],
    ["processing", recordIn("running"), started],
    ["processing, attempt 2", written(claim(waiting, { run: aRun(), key: null, now: at(9) })), started],
    ["paused", recordIn("paused"), started],
    ["paused, attempt 2", { ...waiting, status: "paused", retryAt: null }, { ...started, error: "SOURCE_TIMEOUT" }],
    ["completed", recordIn("completed"), { ...ended, result: true }],
    ["failed", recordIn("failed"), { ...ended, error: "FILE_NOT_FOUND" }],
    ["cancelled", recordIn("cancelled"), ended],
    ["expired after completed", recordIn("expired"), { ...ended, result: true }],
    ["expired by its deadline", deadlined, { ...ended, startedAt: false, error: "DEADLINE_EXCEEDED" }],
  ])("%s", (_column, record, expected) => {
    const job = shown(record);
    expect({
      startedAt: job.startedAt !== null,
      completedAt: job.completedAt !== null,
      error: job.error?.code ?? null,
      result: job.result !== null,
      nextAttemptAt: job.nextAttemptAt !== null,
    }).toEqual(expected);
    expect(apiJob.strict().parse(job)).toEqual(job);
  });

  test("a job that was handed back in its second try still tells of the first", () => {
    const running = written(claim(waiting, { run: aRun(), key: null, now: at(9) }));
    const job = shown(written(handedBack(running, { now: at(10) })));
    expect(job).toMatchObject({ status: "queued", attempt: 2, nextAttemptAt: null, error: { code: "SOURCE_TIMEOUT" } });
  });

  test.each(["source", "storage"] as const)(
    "waiting for %s is no next attempt, and shows in the phase alone",
    (waitsFor) => {
      const input = { error: TIMEOUT, retryAt: at(9), waitsFor, now: at(5) };
      expect(shown(written(retrying(recordIn("running"), input)))).toMatchObject({
        attempt: 1,
        nextAttemptAt: null,
        error: null,
        progress: { phase: `waiting_for_${waitsFor}` },
      });
    },
  );
});

describe("what is shown", () => {
  test("running is called processing; the version is seq.n", () => {
    expect(shown(recordIn("running"))).toMatchObject({ status: "processing", version: "42.7" });
  });

  test("the request as it was made", () => {
    const spec = specOf({ class: "high", archive: "zip", name: "mine", metadata: { a: "b" } });
    expect(shown(recordIn("queued", { spec }))).toMatchObject({
      priority: "high",
      archive: "zip",
      name: "mine",
      metadata: { a: "b" },
    });
  });

  test.each([
    ["no failure", recordIn("running"), 1],
    ["one failure", waiting, 2],
    ["the last try's failure", recordIn("failed", { failures: 3 }), 3],
  ])("the attempt after %s", (_what, record, attempt) => {
    expect(shown(record)).toMatchObject({ attempt, maxAttempts: 3 });
  });

  test("stale only when it is", () => {
    expect(shown(recordIn("queued"))).not.toHaveProperty("stale");
    expect(present(recordIn("queued"), VERSION, { ...POLICY, stale: true })).toMatchObject({ stale: true });
  });

  test("nothing that is not in the contract, not even from a newer version's record", () => {
    const newer = recordIn("failed");
    Object.assign(newer.progress, { secret: 1 });
    Object.assign(newer.error ?? {}, { secret: 1 });
    expect(JSON.stringify(shown(newer))).not.toContain("secret");
  });

  test.each(JOB_STATUSES)("nothing personal of a %s job", (status) => {
    const text = JSON.stringify(shown(recordIn(status)));
    for (const personal of ["ada.lovelace", "203.0.113.9", "curl", "results/acme"])
      expect(text).not.toContain(personal);
  });
});

describe("links", () => {
  const path = (name: string) => `/v1/downloads/5f0c954e-38a5-4b4e-8c5a-2f1c9c1d7a10/${name}`;
  const possible = (record: JobRecord) =>
    Object.entries(shown(record).links)
      .filter(([name, link]) => link === path(name))
      .map(([name]) => name);
  const always = ["files", "events", "ws", "deliveries"];

  test.each<[JobStatus, string[]]>([
    ["queued", ["cancel", "pause"]],
    ["running", ["cancel", "pause"]],
    ["paused", ["cancel", "resume"]],
    ["completed", ["content"]],
    ["failed", ["retry"]],
    ["cancelled", ["retry"]],
    ["expired", []],
  ])("of a %s job: %j", (status, names) => {
    expect(possible(recordIn(status))).toEqual([...always, ...names]);
  });

  test("the result's url is the content link, and null once it has expired", () => {
    expect(shown(recordIn("completed")).result?.url).toBe(path("content"));
    expect(shown(recordIn("expired")).result?.url).toBeNull();
  });

  test("a result with nothing to hand out has no content", () => {
    const done = recordIn("completed");
    if (done.result === null) throw new Error("no result");
    const input = { result: { ...done.result, kind: "none" as const }, outcomes: { doneThrough: 1, exceptions: [] } };
    const nothing = written(
      completed(recordIn("running"), { ...input, progress: done.progress, usage: done.usage, now: at(2) }),
    );
    expect(shown(nothing)).toMatchObject({ result: { url: null }, links: { content: null } });
  });
});

describe("percent", () => {
  const progress = { ...noProgress(4, 1000), bytesDone: 499, filesDone: 1 };

  test.each<[string, Partial<typeof progress>, JobStatus, number]>([
    ["rounds down", {}, "running", 49],
    ["goes by files while bytes are unknown", { bytesTotal: null }, "running", 25],
    ["does not rise by files that are missing", { bytesTotal: null, filesFailed: 1 }, "running", 25],
    ["is 0 where the only files were missing", { bytesTotal: null, filesDone: 0, filesFailed: 4 }, "failed", 0],
    ["goes by files when there are no bytes", { bytesTotal: 0, bytesDone: 0 }, "running", 25],
    ["is at most 99 until completed", { bytesDone: 1000 }, "running", 99],
    ["is at most 99 when more came than was planned", { bytesDone: 5000 }, "running", 99],
    ["is 100 when completed, also in part", {}, "completed", 100],
    ["stays where a job failed", {}, "failed", 49],
    ["stays below 100 where a job was cancelled at its last byte", { bytesDone: 1000 }, "cancelled", 99],
  ])("%s", (_rule, difference, status, percent) => {
    expect(presentProgress({ ...progress, ...difference }, status).percent).toBe(percent);
  });

  test("stays 100 when a result expires, and not when a deadline ends the job", () => {
    expect(shown(recordIn("expired")).progress.percent).toBe(100);
    expect(shown(recordIn("expired", { result: null })).progress.percent).toBe(99);
  });
});

test.each<[JobStatus, Date]>([
  ["running", at(7 * 86_400)],
  ["completed", at(2 + 8 * 86_400)],
  ["failed", at(2 + 34 * 86_400)],
])("a %s job says when it is out of sight", (status, when) => {
  expect(shown(recordIn(status)).expiresAt).toBe(when.toISOString());
});
