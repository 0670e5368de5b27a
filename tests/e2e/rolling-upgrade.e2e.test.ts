import { setTimeout as delay } from "node:timers/promises";
import type { StoredMessage } from "@longhaul/bus";
import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBothSides } from "../support/both-sides.ts";
import { createDownload, getJob, type Job, request } from "../support/download-client.ts";
import { type JobHistories, openHistories } from "../support/job-histories.ts";
import { leftovers } from "../support/leftovers.ts";
import { type OtherProcessor, startOtherProcessor } from "../support/other-processor.ts";
import { ADDED_FIELD, LACKING_FIELD } from "../support/other-version.ts";
import { scaled } from "../support/scale.ts";
import { type SourceStack, startSourceStack } from "../support/source-stack.ts";
import { until } from "../support/until.ts";

const ROUNDS = scaled({ short: 1, full: 4 });
/** Unfinished jobs while processes come and go: more than all slots together, so that each process always has some. */
const JOBS_AT_A_TIME = 14;
const SLOTS = 3;
const CHANGES_OF_MIND_EVERY_MS = 250;

/** Read slowly, so that every job meets a process that ends. */
const SLOW = { firstId: 80_000, files: 2, sizeBytes: 3_000_000 };
/** One for each job, whose first reading breaks off: each job is tried again, by whoever takes it. */
const BROKEN = { firstId: 90_000, files: 200, sizeBytes: 10_000 };

/** Who wrote a record: a processor of one of the versions, or (a user by way of) the gateway. */
type Writer = "ours" | "more" | "less" | "gateway";
type Seen = { record: StoredRecord; by: Writer };
type Kind = Exclude<Writer, "gateway">;

let sources: SourceStack;
let others: Record<"more" | "less", OtherProcessor>;
let histories: JobHistories;
const seen = new Map<string, Seen[]>();
const kinds = new Map<number, Kind>();

beforeAll(async () => {
  sources = await startSourceStack(
    ({ method, fileId, nth }) => {
      if (method === "HEAD") return "pass";
      if (fileId >= BROKEN.firstId) return nth === 1 ? "cut off" : "pass";
      return "slow";
    },
    {
      env: {
        ...{ ACK_WAIT_MS: "3000", FILE_TRIES: "1", MAX_CRASHES: "50", SLOTS_NORMAL: `${SLOTS}` },
        ...{ WATCH_IDLE_MS: "1000", REQUEUE_INTERVAL_MS: "1000", ORPHAN_INTERVAL_MS: "1000", ORPHAN_AGE_SECONDS: "5" },
      },
      counts: { notifier: 2 },
    },
  );
  const { stack } = sources;
  for (const shelf of [SLOW, BROKEN]) await stack.seed(shelf.firstId, shelf.files, shelf.sizeBytes);
  histories = await openHistories(stack.run().nats.url, see);
  const [more, less] = await Promise.all([startOtherProcessor(stack, "more"), startOtherProcessor(stack, "less")]);
  others = { more, less };
});
afterAll(async () => {
  await Promise.all([others?.more.stop(), others?.less.stop()]);
  await histories?.close();
  await sources?.dispose();
});

function see({ record, type }: StoredMessage): void {
  const before = seen.get(record.id) ?? [];
  seen.set(record.id, [...before, { record, by: writerOf(record, before.at(-1)?.record, type) }]);
}

/** A run's writes are its worker's, and so is the one that ends the run, unless a user's command does. */
function writerOf(record: StoredRecord, before: StoredRecord | undefined, type: string): Writer {
  const byGateway = ["download.requested.v1", "download.paused.v1", "download.cancelled.v1", "download.erased.v1"];
  if (byGateway.includes(type)) return "gateway";
  const pid = pidOf(record) ?? pidOf(before);
  return (pid !== null && kindOf(pid)) || "ours";
}

const pidOf = (record?: StoredRecord) =>
  record && record.status !== "erased" && record.run ? Number(record.run.worker.split("-").at(-1)) : null;

/** Numbers are looked up while the process lives: it writes long after it has begun. */
function kindOf(pid: number): Kind | undefined {
  for (const kind of ["ours", "more", "less"] as const) {
    const current = currentPid(kind);
    if (current) kinds.set(current, kind);
  }
  return kinds.get(pid);
}

const currentPid = (kind: Kind) => (kind === "ours" ? sources.stack.pid("processor") : others?.[kind].pid());

const newest = (id: string) => seen.get(id)?.at(-1)?.record;
const added = (record: StoredRecord) => (record as unknown as Record<string, unknown>)[ADDED_FIELD];
const runningIn = (pid: number) => [...seen.values()].filter((writes) => pidOf(writes.at(-1)?.record) === pid).length;

async function command(id: string, name: string): Promise<void> {
  const url = `${sources.stack.baseUrl}/v1/downloads/${id}/${name}`;
  const { status } = await request<Job>(url, { method: "POST", headers: { "x-user-id": "ann" } });
  expect([200, 409], `${name} of ${id}`).toContain(status);
}

/** Keeps so many jobs unfinished; pauses one that runs now and then, and resumes it. */
async function users(ids: string[], signal: AbortSignal): Promise<void> {
  const { baseUrl } = sources.stack;
  const unfinished = () => ids.filter((id) => newest(id)?.status !== "completed");
  while (!signal.aborted) {
    while (unfinished().length < JOBS_AT_A_TIME) {
      const fileIds = [BROKEN.firstId + (ids.length % BROKEN.files), SLOW.firstId, SLOW.firstId + 1];
      const { status, body } = await createDownload(baseUrl, fileIds);
      expect(status).toBe(202);
      ids.push(body.id);
    }
    const running = ids.find((id) => newest(id)?.status === "running" && newest(id)?.generation === 1);
    if (running) {
      await command(running, "pause");
      await command(running, "resume");
    }
    await delay(CHANGES_OF_MIND_EVERY_MS);
  }
}

/** Each process in turn is told to end, then is killed, always with jobs in its hands. */
async function comingAndGoing(): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const kind of ["more", "less", "ours"] as const) {
      const pid = await until(`a processor that writes ${kind}`, () => currentPid(kind), 60_000);
      await until(`jobs of the processor that writes ${kind}`, () => runningIn(pid) > 0, 60_000);
      kindOf(pid);
      process.kill(pid, signal);
      await until(`the end of ${pid}`, () => currentPid(kind) !== pid, 60_000);
    }
  }
}

test("processors of three versions pass jobs from one to another, and no job notices", async () => {
  const { stack, proxy } = sources;
  const ids: string[] = [];
  const over = new AbortController();
  const using = users(ids, over.signal);
  for (let round = 0; round < ROUNDS; round++) await Promise.race([comingAndGoing(), using]);
  // Else nothing was passed on, and this would show nothing.
  await Promise.race([until("each to go on with what others wrote", everybodyPassedOn, 60_000), using]);
  over.abort();
  await using;
  proxy.hurry();
  const open = () => ids.filter((id) => newest(id)?.status !== "completed").map((id) => newest(id));
  await until("every job to be completed", () => open().length === 0, 90_000).catch(() => expect(open()).toEqual([]));
  expect(histories.broken()).toEqual([]);
  expectTheFieldToPassThrough();
  console.log(`written on records with a field more, and with one less: ${JSON.stringify(passedOn())}`);

  const { views, records } = await until("every view to be as new as its record", async () => {
    const both = await readBothSides(stack.run(), ids);
    return ids.every((id) => both.views.get(id)?.seq === both.records.get(id)?.seq) && both;
  });
  for (const id of ids) expect(views.get(id)?.record).toEqual(records.get(id)?.record);
  await expectOneShapeOfAnswers(ids);

  const ended = [...records.values()].map(({ record }) => record);
  const left = () => leftovers(stack.run(), ended);
  const nothingLeft = async () => (await left()).length === 0;
  await until("nothing to be left", nothingLeft, 60_000).catch(async () => expect(await left()).toEqual([]));
  await expectDeletionToTakeTheField(ids);
});

/** A job from the first write on that has the field more. */
function carrying(writes: Seen[]): Seen[] {
  const first = writes.findIndex(({ record }) => added(record) !== undefined);
  return first < 0 ? [] : writes.slice(first);
}

/** How often each wrote a record that had the field more, and one whose timeline had a line with one less. */
function passedOn(): Record<"more" | "less", Record<Writer, number>> {
  const counts = { more: noWrites(), less: noWrites() };
  for (const writes of seen.values()) {
    for (const { by } of carrying(writes).slice(1)) counts.more[by]++;
    for (const [i, { by }] of writes.entries()) if (i > 0 && lacks(writes[i - 1]!.record)) counts.less[by]++;
  }
  return counts;
}

const noWrites = (): Record<Writer, number> => ({ ours: 0, more: 0, less: 0, gateway: 0 });

const everybodyPassedOn = () =>
  Object.values(passedOn()).every((counts) => Object.values(counts).every((count) => count > 0));

function expectTheFieldToPassThrough(): void {
  for (const [id, writes] of seen) {
    const [first, ...later] = carrying(writes);
    for (const { record, by } of later) {
      expect(added(record), `the field as ${by} wrote it again in ${id}`).toBe(added(first!.record));
    }
  }
}

/** Has a line of a run that does not name its worker. */
const lacks = (record: StoredRecord) =>
  record.status !== "erased" && record.timeline.some((entry) => entry.run !== undefined && !(LACKING_FIELD in entry));

/** An answer does not show which versions a job has met. */
async function expectOneShapeOfAnswers(ids: string[]): Promise<void> {
  const shapes = new Set<string>();
  await inParallel(ids.keys(), 10, async (i) => {
    const { status, body } = await getJob(sources.stack.baseUrl, ids[i] ?? "");
    expect([status, body.status, body.error]).toEqual([200, "completed", null]);
    shapes.add(Object.keys(body).sort().join());
  });
  expect([...shapes]).toEqual([expect.not.stringContaining(ADDED_FIELD)]);
}

/** What nobody here knows may be personal. */
async function expectDeletionToTakeTheField(ids: string[]): Promise<void> {
  const id = ids.find((one) => added(newest(one) as JobRecord) !== undefined) ?? "";
  const url = `${sources.stack.baseUrl}/v1/downloads/${id}`;
  expect((await request(url, { method: "DELETE", headers: { "x-user-id": "ann" } })).status).toBe(204);
  const erased = await until("the deletion to be seen", () => newest(id)?.status === "erased" && newest(id));
  expect(added(erased)).toBeUndefined();
}
