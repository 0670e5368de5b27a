import { randomUUID } from "node:crypto";
import { type Change, claim, newJob } from "@longhaul/job";
import { expect, test } from "vitest";
import { encodeJobEvent } from "../../libs/bus/src/job-event.ts";
import type { JobLog, PutOnce } from "../../libs/bus/src/put-once.ts";
import { aRun, newJobInput, written } from "../../libs/job/src/testing/index.ts";
import { type Bench, outcomeOf } from "./bench.ts";

export type JobLogDriver = {
  log: JobLog;
  put: PutOnce;
  /** Messages in the whole stream. */
  messages(): Promise<number>;
  /** Brings the stream to its byte bound, by writes that store a new job each, or by decree. */
  fill(write: () => Promise<unknown>): Promise<void>;
  sleep(ms: number): Promise<void>;
};

const TRACEPARENT = newJobInput().traceparent;
const PUT = { deadlineMs: 5_000, traceparent: TRACEPARENT, source: "/longhaul/conformance" };
const RACERS = 16;

const created = (id: string): Change => newJob(newJobInput({ id }));

/** The bytes of a job's first message, as long as the padding asks for. */
function message(id: string, padding = 0): Uint8Array {
  const record = { ...written(created(id), randomUUID()), name: "x".repeat(padding) };
  return encodeJobEvent({ type: "download.requested.v1", record, source: PUT.source, traceparent: TRACEPARENT });
}

/** What `putOnce` and everything above it take for granted of `JOBS`. */
export function jobLogConformance(bench: Bench<JobLogDriver>): void {
  const append = ({ log }: JobLogDriver, id: string, seq: number, ttlSeconds?: number, padding = 0) =>
    log.append(id, message(id, padding), seq, { traceparent: TRACEPARENT, ttlSeconds, timeoutMs: 5_000 });
  const newestSeq = async ({ log }: JobLogDriver, id: string) => (await log.readNewest(id, 5_000))?.seq ?? 0;
  const inBench = (name: string, body: (driver: JobLogDriver, id: string) => Promise<void>) =>
    test(name, () => bench.run((driver) => body(driver, randomUUID())));

  inBench("nothing is read where nothing was written", async (driver, id) => {
    expect(await driver.log.readNewest(id, 5_000)).toBeNull();
  });

  inBench("the first of two creates is stored, the second refused", async (driver, id) => {
    const seq = await append(driver, id, 0);
    expect(await outcomeOf(append(driver, id, 0))).toBe("WRONG_SEQUENCE");
    expect(await newestSeq(driver, id)).toBe(seq);
  });

  inBench("a write replaces exactly what it names, and the job stays one message", async (driver, id) => {
    const first = await append(driver, id, 0);
    const messages = await driver.messages();
    const second = await append(driver, id, first);
    expect(second).toBeGreaterThan(first);
    expect(await outcomeOf(append(driver, id, first))).toBe("WRONG_SEQUENCE");
    expect(await outcomeOf(append(driver, id, second + 1_000))).toBe("WRONG_SEQUENCE");
    expect(await newestSeq(driver, id)).toBe(second);
    expect(await driver.messages()).toBe(messages);
  });

  inBench("a leader read after the answer sees the write", async (driver, id) => {
    let seq = 0;
    for (let i = 0; i < 20; i++) {
      seq = await append(driver, id, seq);
      expect(await newestSeq(driver, id)).toBe(seq);
    }
  });

  inBench(
    "a message with a lifetime goes, and leaves room for a new job but not for an old write",
    async (driver, id) => {
      const seq = await append(driver, id, 0, 1);
      expect(await newestSeq(driver, id)).toBe(seq);
      await driver.sleep(2_500);
      expect(await newestSeq(driver, id)).toBe(0);
      expect(await outcomeOf(append(driver, id, seq))).toBe("WRONG_SEQUENCE");
      expect(await append(driver, id, 0)).toBeGreaterThan(seq);
    },
  );

  inBench("a write without a lifetime revives a dying job", async (driver, id) => {
    const revived = await append(driver, id, await append(driver, id, 0, 1));
    await driver.sleep(2_500);
    expect(await newestSeq(driver, id)).toBe(revived);
  });

  inBench("a message with a lifetime is there until it is over: nobody can write beside it", async (driver, id) => {
    const seq = await append(driver, id, 0, 3);
    await driver.sleep(1_500);
    expect(await newestSeq(driver, id)).toBe(seq);
    expect(await outcomeOf(append(driver, id, 0))).toBe("WRONG_SEQUENCE");
  });

  inBench(
    "the lifetime of a replacement counts from then, and that of what it replaced no more",
    async (driver, id) => {
      const longer = await append(driver, id, await append(driver, id, 0, 1), 4);
      await driver.sleep(2_000);
      expect(await newestSeq(driver, id)).toBe(longer);
      const other = randomUUID();
      await append(driver, other, await append(driver, other, 0, 100), 1);
      await driver.sleep(2_500);
      expect(await newestSeq(driver, other)).toBe(0);
    },
  );

  inBench("a write on a job that its lifetime has taken meanwhile is a conflict with nothing", async (driver, id) => {
    const ended = await driver.put(id, 0, created(id), { ...PUT, ttlSeconds: 1 });
    if (ended.kind !== "done" || ended.record.status === "erased") throw new Error(`the create is ${ended.kind}`);
    await driver.sleep(2_500);
    const late = claim(ended.record, { run: aRun(), key: null, now: new Date(0) });
    expect(await driver.put(id, ended.seq, late, PUT)).toEqual({ kind: "conflict", current: null });
    // From the copy of a view it is written with 0, and goes on counting.
    const again = await driver.put(id, 0, late, PUT);
    expect(again.kind === "done" && again.seq > ended.seq).toBe(true);
  });

  inBench("of two writes on a job that its lifetime has taken one wins", async (driver, id) => {
    await append(driver, id, 0, 1);
    await driver.sleep(2_500);
    const both = await Promise.all([driver.put(id, 0, created(id), PUT), driver.put(id, 0, created(id), PUT)]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(["conflict", "done"]);
  });

  inBench("of many writers one wins, and the others are shown its record", async ({ put }, id) => {
    const results = await Promise.all(Array.from({ length: RACERS }, () => put(id, 0, created(id), PUT)));
    const [winner, ...more] = results.filter((result) => result.kind === "done");
    expect(more).toEqual([]);
    for (const result of results) {
      if (result.kind === "conflict") expect(result.current?.seq).toBe(winner?.seq);
    }
    expect(results.filter((result) => result.kind === "conflict")).toHaveLength(RACERS - 1);
  });

  inBench("a write on what is gone is a conflict with nothing", async ({ put }, id) => {
    expect(await put(id, 7, created(id), PUT)).toEqual({ kind: "conflict", current: null });
  });

  inBench("putOnce gives the sequence that the next write has to name", async ({ put }, id) => {
    const first = await put(id, 0, created(id), PUT);
    if (first.kind !== "done" || first.record.status === "erased") throw new Error(`the create is ${first.kind}`);
    const run = aRun();
    const second = await put(id, first.seq, claim(first.record, { run, key: null, now: new Date(0) }), PUT);
    expect(second).toMatchObject({ kind: "done", superseded: false, record: { status: "running", run } });
  });

  // The last: it leaves the stream full.
  inBench("at the byte bound what does not grow is stored, and what grows is refused as full", async (driver, id) => {
    const seq = await append(driver, id, 0, undefined, 100);
    await driver.fill(() => append(driver, randomUUID(), 0, undefined, 20_000));
    await driver.fill(() => append(driver, randomUUID(), 0));
    expect(await outcomeOf(append(driver, randomUUID(), 0))).toBe("FULL");
    expect(await outcomeOf(append(driver, id, seq, undefined, 40_000))).toBe("FULL");
    // The expected sequence, a header, is part of the size: so a little smaller, to be no larger.
    const smaller = await append(driver, id, seq, undefined, 90);
    expect(smaller).toBeGreaterThan(seq);
    expect(await driver.put(randomUUID(), 0, created(id), { ...PUT, deadlineMs: 1_000 })).toEqual({ kind: "full" });
  });
}
