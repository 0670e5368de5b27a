import type { StoredRecord } from "@longhaul/contracts";
import { jobError } from "@longhaul/job";
import { expect, test } from "vitest";
import { erasedRecord, recordIn } from "../../libs/job/src/testing/index.ts";
import type { Ask } from "./asks.ts";
import { brokenPromises, type Findings } from "./checks.ts";
import type { Answered, SeenEnd } from "./ledger.ts";

const ASK: Ask = { kind: "one file", fileIds: [70_000], expected: "completed" };
const { id } = recordIn("queued");

type Case = {
  ask?: Ask;
  record?: StoredRecord;
  seq?: number;
  viewSeq?: number;
  ends?: SeenEnd[];
  answers?: Answered[];
};

/** What is said of one accepted job whose newest record is this. */
function saidOf(
  { ask = ASK, record, seq = 9, viewSeq = seq, ends = [], answers = [] }: Case,
  more: Partial<Findings> = {},
) {
  const promises = {
    accepted: new Map([[id, { id, user: "ann", ask, atMs: 0 }]]),
    answered: new Map([[id, answers]]),
    oddAnswers: [],
    ends: new Map([[id, new Map(ends.length > 0 ? [[1, ends]] : [])]]),
  };
  const records = new Map(record ? [[id, { seq, record }]] : []);
  const isShown = record !== undefined && record.status !== "erased";
  const views = new Map(isShown ? [[id, { seq: viewSeq, writeId: record.writeId }]] : []);
  const quiet = { itemsLeft: 0, unnamed: [], leaks: [], deadLetters: 0, poison: 0 };
  return brokenPromises(promises, { records, views, ...quiet, ...more }).map(({ what }) => what);
}

const end = (status: string, seq: number): SeenEnd => ({ status, seq, atMs: seq });
const answer = (command: string, status: string, seq: number): Answered => ({
  ...{ command, status, seq },
  generation: 1,
  atMs: 0,
});

test("a job that ended once as it should breaks no promise", () => {
  expect(saidOf({ record: recordIn("completed"), ends: [end("completed", 9)] })).toEqual([]);
  expect(saidOf({ record: erasedRecord(), ends: [end("completed", 7), end("erased", 9)] })).toEqual([]);
  expect(saidOf({ record: recordIn("expired"), ends: [end("completed", 7), end("expired", 9)] })).toEqual([]);
});

test("a job without a record is lost, one that is queued or runs is stuck", () => {
  expect(saidOf({})).toEqual([expect.stringContaining("lost: it was answered with 202")]);
  expect(saidOf({ record: recordIn("queued") })).toEqual(["stuck: still queued in generation 1"]);
  expect(saidOf({ record: recordIn("running") })).toEqual(["stuck: still running in generation 1"]);
});

test("two ends of one generation are one too many", () => {
  const ends = [end("cancelled", 7), end("completed", 9)];
  expect(saidOf({ record: recordIn("completed"), ends })).toEqual([
    "doubled: generation 1 ended 2 times: cancelled (version 7), completed (version 9)",
  ]);
});

test("an end that was seen stands", () => {
  expect(saidOf({ record: recordIn("cancelled"), ends: [end("completed", 8)] })).toEqual([
    "lost: it ended as completed (version 8), and is now cancelled (version 9)",
  ]);
  const again = recordIn("completed", { generation: 2 });
  expect(saidOf({ record: again, ends: [end("cancelled", 8)] })).toEqual([]);
});

test("a command that was answered holds until the next generation", () => {
  const answers = [answer("cancel", "cancelled", 8)];
  expect(saidOf({ record: recordIn("completed"), answers })).toEqual([
    "lost: cancel was answered with cancelled (version 8), and it is now completed",
  ]);
  expect(saidOf({ record: recordIn("completed", { generation: 2 }), answers })).toEqual([]);
  expect(saidOf({ record: recordIn("cancelled"), seq: 7, answers })).toEqual([
    "lost: cancel was answered with cancelled (version 8), and its record is version 7",
  ]);
});

test("a job must end as what was asked for ends", () => {
  expect(saidOf({ record: recordIn("failed") })).toEqual([
    "it is failed (FILE_NOT_FOUND in plan), and should be completed: one file",
  ]);
});

test("files that move in each of its tries may fail a job, and nothing else may", () => {
  const error = jobError("SOURCE_CHANGED", "read-source");
  const moving: Ask = { ...ASK, kind: "moving files" };
  expect(saidOf({ ask: moving, record: recordIn("failed", { error }) })).toEqual([]);
  expect(saidOf({ record: recordIn("failed", { error }) })).toHaveLength(1);
  expect(saidOf({ ask: moving, record: recordIn("failed") })).toHaveLength(1);
});

test("views that are behind, items that are left and poison that vanished are told", () => {
  const record = recordIn("completed");
  expect(saidOf({ record, viewSeq: 8 })).toEqual(["its view is not what its record is"]);
  const views = (writeId: string) => new Map([[id, { seq: 9, writeId }]]);
  expect(saidOf({ record }, { views: views("another") })).toEqual(["its view is not what its record is"]);
  expect(saidOf({ record: erasedRecord() }, { views: views("any") })).toEqual(["its view is not what its record is"]);
  expect(saidOf({ record }, { itemsLeft: 2 })).toEqual(["leaked: 2 work items are left"]);
  expect(saidOf({ record }, { poison: 4, deadLetters: 3 })).toEqual([
    "lost: of 4 unreadable messages 3 are in DEADLETTERS",
  ]);
});

test("a run in which nothing was promised, and answers that nobody may get, are told", () => {
  const promises = {
    accepted: new Map(),
    answered: new Map(),
    ends: new Map(),
    oddAnswers: ["a create is answered with 500"],
  };
  const found = {
    records: new Map(),
    views: new Map(),
    itemsLeft: 0,
    unnamed: ["object a"],
    leaks: ["2 S3 calls are still open"],
    deadLetters: 0,
    poison: 0,
  };
  expect(brokenPromises(promises, found).map(({ what }) => what)).toEqual([
    "a create is answered with 500",
    "nothing was promised, so nothing was tested",
    "leaked: 2 S3 calls are still open",
    "leaked: no record names the object a",
  ]);
});
