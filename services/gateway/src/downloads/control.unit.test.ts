import { BusError, type PutResult, type Stored } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { erasedRecord, POLICY, recordIn, T0 } from "../../../../libs/job/src/testing/index.ts";
import { type ControlPorts, controlDownload, eraseDownload } from "./control.ts";

const policy = { ...POLICY, putDeadlineMs: 5000 };
const request = { id: recordIn("queued").id, actor: "ada", admits: () => true, traceparent: "", traceId: "" };
const resume = { ...request, command: "resume" } as const;
const stored = (record: JobRecord, seq: number): Stored => ({ seq, record, traceparent: "" });

type Script = { read: Stored; puts: (PutResult | Error)[]; stepMs?: number };

/** Ports that answer as the script says; `sent` are the generations whose work item was put. */
function scripted({ read, puts, stepMs = 0 }: Script) {
  const sent: number[] = [];
  const deadlines: number[] = [];
  let now = T0.getTime();
  const ports: ControlPorts = {
    newest: () => Promise.resolve(read),
    view: () => Promise.resolve(null),
    put: (_id, _seq, _change, { deadlineMs }) => {
      deadlines.push(deadlineMs);
      now += stepMs;
      const next = puts.shift();
      if (next === undefined) throw new Error("one write too many");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    sendWork: ({ generation }) => sent.push(generation),
    nextLane: () => "bulk",
    now: () => now,
    unit: () => 0,
  };
  return { ports, sent, deadlines };
}

const paused = stored(recordIn("paused"), 5);
const inGeneration = (status: "queued" | "running" | "paused", generation: number) => recordIn(status, { generation });
const done = (record: JobRecord, superseded: boolean): PutResult => ({ kind: "done", seq: 9, record, superseded });

test("a write that others have overtaken is done, and not done again", async () => {
  const { ports, sent } = scripted({ read: paused, puts: [done(inGeneration("paused", 2), true)] });
  expect(await controlDownload(ports, policy, resume)).toMatchObject({ seq: 9, record: { status: "paused" } });
  expect(sent).toEqual([]);
});

test("resume puts the work item of the generation that it began, also when the job was handed back meanwhile", async () => {
  for (const superseded of [false, true]) {
    const { ports, sent } = scripted({ read: paused, puts: [done(inGeneration("queued", 2), superseded)] });
    await controlDownload(ports, policy, resume);
    expect(sent).toEqual([2]);
  }
});

test("a click that comes second is answered with what the first began, even if that was paused again", async () => {
  const current = stored(inGeneration("paused", 2), 8);
  const { ports, sent } = scripted({ read: paused, puts: [{ kind: "conflict", current }] });
  expect(await controlDownload(ports, policy, resume)).toMatchObject({ seq: 8, record: { generation: 2 } });
  expect(sent).toEqual([]);
});

test("nobody knows: the outcome says so", async () => {
  const closed = new BusError("CLOSED", "closed");
  for (const outcome of [{ kind: "unknown" } as const, closed]) {
    const { ports, sent } = scripted({ read: paused, puts: [outcome] });
    const refused = controlDownload(ports, policy, resume);
    await expect(refused).rejects.toMatchObject({ code: "DEPENDENCY_UNAVAILABLE", extra: { outcome: "unknown" } });
    expect(sent).toEqual([]);
  }
});

test("nothing was stored for certain: nothing is said to be unknown", async () => {
  const { ports } = scripted({ read: paused, puts: [{ kind: "unavailable" }] });
  const error = await controlDownload(ports, policy, resume).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "DEPENDENCY_UNAVAILABLE", extra: { retryAfterSeconds: 2 } });
  expect(error).not.toMatchObject({ extra: { outcome: "unknown" } });
});

test("others are first ten times, or for a minute: nothing was changed", async () => {
  const conflict: PutResult = { kind: "conflict", current: paused };
  const often = scripted({ read: paused, puts: Array.from({ length: 10 }, () => conflict) });
  const long = scripted({ read: paused, puts: Array.from({ length: 10 }, () => conflict), stepMs: 29_000 });
  for (const { ports } of [often, long]) {
    const error = await controlDownload(ports, policy, resume).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "DEPENDENCY_UNAVAILABLE" });
    expect(error).not.toMatchObject({ extra: { outcome: "unknown" } });
  }
  expect(often.deadlines).toHaveLength(10);
  expect(long.deadlines).toEqual([5000, 5000, 2000]);
});

test("a job that somebody deletes meanwhile is not there", async () => {
  const current = { seq: 8, record: erasedRecord(), traceparent: "" };
  const overtaken: PutResult = { kind: "done", seq: 8, record: erasedRecord(), superseded: true };
  for (const put of [{ kind: "conflict", current } as const, overtaken]) {
    const { ports } = scripted({ read: paused, puts: [put] });
    await expect(controlDownload(ports, policy, resume)).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
  const { ports } = scripted({ read: paused, puts: [{ kind: "conflict", current }] });
  await expect(eraseDownload(ports, policy, request)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
