import { randomUUID } from "node:crypto";
import type { JobRecord } from "@longhaul/contracts";
import { newJob } from "@longhaul/job";
import { expect, test } from "vitest";
import { newJobInput, written } from "../../libs/job/src/testing/index.ts";
import type { Bench } from "./bench.ts";

/** One delivery of a work item, with its answers. */
export type Taken = {
  id: string;
  sequence: number;
  count: number;
  ack(): void;
  nak(delayMs: number): void;
  working(): void;
};

export type WorkQueueDriver = {
  ackWaitMs: number;
  enqueue(record: JobRecord): Promise<"sent" | "present">;
  itemAlive(sequence: number, id: string): Promise<boolean>;
  /** The next delivery of the job's item; null = none came in this time. */
  take(id: string, withinMs: number): Promise<Taken | null>;
  sleep(ms: number): Promise<void>;
  /** Milliseconds, of the clock that the driver's waits go by. */
  now(): number;
};

/** What the worker takes for granted of `WORK`; most of it is about answers that come through an old delivery. */
export function workQueueConformance(bench: Bench<WorkQueueDriver>): void {
  const inBench = (name: string, body: (driver: WorkQueueDriver, job: JobRecord) => Promise<void>) =>
    test(name, () => bench.run((driver) => body(driver, written(newJob(newJobInput({ id: randomUUID() }))))));

  async function take(driver: WorkQueueDriver, { id }: JobRecord, withinMs = 5 * driver.ackWaitMs): Promise<Taken> {
    const taken = await driver.take(id, withinMs);
    if (!taken) throw new Error(`no delivery of ${id} in ${withinMs} ms`);
    return taken;
  }

  /** Lets the first delivery go unanswered; gives it, and the second. */
  async function twice(driver: WorkQueueDriver, job: JobRecord): Promise<[Taken, Taken]> {
    await driver.enqueue(job);
    const first = await take(driver, job);
    const second = await take(driver, job);
    expect([first.count, second.count]).toEqual([1, 2]);
    expect(second.sequence).toBe(first.sequence);
    return [first, second];
  }

  async function expectGone(driver: WorkQueueDriver, { id }: JobRecord, sequence: number): Promise<void> {
    for (let i = 0; i < 50 && (await driver.itemAlive(sequence, id)); i++) await driver.sleep(20);
    expect(await driver.itemAlive(sequence, id)).toBe(false);
  }

  inBench(
    "a second item of the same generation is there already, also while the first is in flight",
    async (driver, job) => {
      expect(await driver.enqueue(job)).toBe("sent");
      expect(await driver.enqueue(job)).toBe("present");
      const taken = await take(driver, job);
      expect(await driver.enqueue(job)).toBe("present");
      expect(await driver.enqueue({ ...job, generation: 2 })).toBe("sent");
      taken.ack();
      await expectGone(driver, job, taken.sequence);
      expect(await driver.enqueue(job)).toBe("sent");
      const left = [await take(driver, job), await take(driver, job)];
      for (const { ack } of left) ack();
    },
  );

  inBench("an item is found by its sequence, and only as an item of its own job", async (driver, job) => {
    await driver.enqueue(job);
    const taken = await take(driver, job);
    expect(await driver.itemAlive(taken.sequence, job.id)).toBe(true);
    expect(await driver.itemAlive(taken.sequence, randomUUID())).toBe(false);
    expect(await driver.itemAlive(taken.sequence + 1_000_000, job.id)).toBe(false);
    taken.ack();
    await expectGone(driver, job, taken.sequence);
  });

  inBench("an unanswered delivery comes again after ack_wait, and not before", async (driver, job) => {
    await driver.enqueue(job);
    await take(driver, job);
    const since = driver.now();
    const again = await take(driver, job);
    expect(driver.now() - since).toBeGreaterThan(0.7 * driver.ackWaitMs);
    again.ack();
  });

  inBench("a nak brings the item back after its delay, as often as one likes", async (driver, job) => {
    await driver.enqueue(job);
    for (let count = 1; count <= 7; count++) {
      const taken = await take(driver, job);
      expect(taken.count).toBe(count);
      const since = driver.now();
      if (count === 7) {
        taken.ack();
        break;
      }
      taken.nak(100);
      const next = await driver.take(job.id, 60);
      expect(next).toBeNull();
      expect(driver.now() - since).toBeLessThan(100 + driver.ackWaitMs);
    }
  });

  inBench("working puts the redelivery off", async (driver, job) => {
    await driver.enqueue(job);
    const taken = await take(driver, job);
    for (let i = 0; i < 6; i++) {
      taken.working();
      expect(await driver.take(job.id, driver.ackWaitMs / 3)).toBeNull();
    }
    const again = await take(driver, job);
    again.ack();
  });

  inBench("an ack through an old delivery removes the item although a successor has it", async (driver, job) => {
    const [first] = await twice(driver, job);
    first.ack();
    await expectGone(driver, job, first.sequence);
    expect(await driver.take(job.id, 2 * driver.ackWaitMs)).toBeNull();
  });

  inBench(
    "a nak through an old delivery sends the item to a third although a successor has it",
    async (driver, job) => {
      const [first] = await twice(driver, job);
      const since = driver.now();
      first.nak(50);
      const third = await take(driver, job);
      expect(third.count).toBe(3);
      expect(driver.now() - since).toBeLessThan(0.7 * driver.ackWaitMs);
      third.ack();
    },
  );

  inBench("working through an old delivery puts off the redelivery of its successor's", async (driver, job) => {
    const [first] = await twice(driver, job);
    for (let i = 0; i < 6; i++) {
      first.working();
      expect(await driver.take(job.id, driver.ackWaitMs / 3)).toBeNull();
    }
    const third = await take(driver, job);
    expect(third.count).toBe(3);
    third.ack();
  });

  inBench("an ack ends an item that a nak has put off", async (driver, job) => {
    await driver.enqueue(job);
    const taken = await take(driver, job);
    taken.nak(driver.ackWaitMs);
    taken.ack();
    await expectGone(driver, job, taken.sequence);
    expect(await driver.take(job.id, 2 * driver.ackWaitMs)).toBeNull();
  });

  inBench("a working after a nak brings the item back after ack_wait", async (driver, job) => {
    await driver.enqueue(job);
    const taken = await take(driver, job);
    taken.nak(20 * driver.ackWaitMs);
    taken.working();
    const again = await take(driver, job, 4 * driver.ackWaitMs);
    again.ack();
  });
}
