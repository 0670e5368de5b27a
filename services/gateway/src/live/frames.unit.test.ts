import { expect, test } from "vitest";
import { POLICY, recordIn } from "../../../../libs/job/src/testing/index.ts";
import { dataFrame, isUrgent } from "./frames.ts";
import { Shown } from "./shown.ts";

const running = recordIn("running");
const further = { ...running, progress: { ...running.progress, bytesDone: 9 } };
const shown = (seq: number, n: number, record = running) => new Shown({ seq, n }, record, POLICY);
const told = (state: Shown, stale = false) => ({ version: state.version, shown: state, stale });
const since = (seq: number, n: number) => ({ version: { seq, n }, shown: null, stale: false });

test("the first frame is the whole job", () => {
  expect(dataFrame(null, shown(5, 0), false)).toMatchObject({ type: "job", version: "5.0", final: false });
});

test("progress alone is told as progress, whether it was stored or not", () => {
  expect(dataFrame(told(shown(5, 0)), shown(5, 1, further), false)).toMatchObject({ type: "progress", version: "5.1" });
  expect(dataFrame(told(shown(5, 0)), shown(6, 0, further), false)).toMatchObject({ type: "progress", version: "6.0" });
  expect(dataFrame(since(5, 0), shown(5, 1, further), false)).toMatchObject({ type: "progress", version: "5.1" });
});

test("any other change is told as the job", () => {
  const queued = recordIn("queued");
  expect(dataFrame(told(shown(5, 0, queued)), shown(6, 0), false)).toMatchObject({ type: "job", version: "6.0" });
  // Of a client that only named its version we do not know what it was shown.
  expect(dataFrame(since(5, 0), shown(6, 0), false)).toMatchObject({ type: "job", version: "6.0" });
});

test("nothing is told twice, nor what the client heard elsewhere", () => {
  expect(dataFrame(told(shown(5, 1)), shown(5, 1), false)).toBeNull();
  expect(dataFrame(since(5, 7), shown(5, 1), false)).toBeNull();
});

test("a client that heard more elsewhere is never shown an older state, stale or not", () => {
  expect(dataFrame(since(5, 7), shown(5, 0), true)).toBeNull();
  expect(dataFrame(since(6, 0), shown(5, 9), true)).toBeNull();
  expect(dataFrame(since(5, 7), shown(5, 7), true)).toMatchObject({
    type: "job",
    version: "5.7",
    job: { stale: true },
  });
});

test("that a job has become stale, or fresh again, is told", () => {
  expect(dataFrame(told(shown(5, 1)), shown(5, 1), true)).toMatchObject({ type: "job", job: { stale: true } });
  const fresh = dataFrame(told(shown(5, 1), true), shown(5, 1), false);
  expect(fresh?.type === "job" && fresh.job.stale).toBeUndefined();
});

test("only a change of status or of staleness hurries", () => {
  expect(isUrgent(told(shown(5, 0, recordIn("queued"))), shown(6, 0), false)).toBe(true);
  expect(isUrgent(told(shown(5, 0)), shown(5, 0), true)).toBe(true);
  expect(isUrgent(told(shown(5, 0)), shown(6, 0, further), false)).toBe(false);
});
