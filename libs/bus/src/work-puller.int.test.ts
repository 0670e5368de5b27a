import { setTimeout as delay } from "node:timers/promises";
import { JOB_CLASSES, LANES } from "@longhaul/contracts";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type OwnBus, startOwnBus } from "../../../tests/support/own-bus.ts";
import { until } from "../../../tests/support/until.ts";
import { type Bus, connectBus } from "./connect.ts";
import type { Delivery } from "./delivery.ts";
import type { LaneState, SlotsPerClass } from "./slots.ts";
import { aRecord, queueOf, SETTINGS, silent } from "./testing/fixtures.ts";
import { startPuller } from "./work-puller.ts";

let server: OwnBus;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnBus();
  bus = server.bus;
});
afterAll(() => server?.remove());

/** A worker of its own connection that counts what it is given. */
async function startWorker(slotsPerClass: SlotsPerClass, work: (delivery: Delivery) => Promise<void>) {
  const own = await connectBus({ servers: [server.url], name: "worker", log: silent });
  const counts = { running: 0, most: 0, deliveries: 0, deliveredAgain: 0, done: new Set<string>() };
  const onItem = async (delivery: Delivery) => {
    counts.most = Math.max(counts.most, ++counts.running);
    counts.deliveries++;
    if (delivery.deliveryCount > 1) counts.deliveredAgain++;
    try {
      await work(delivery);
      delivery.ack();
      counts.done.add(delivery.address?.id ?? "");
    } finally {
      counts.running--;
    }
  };
  const puller = startPuller(own, { slotsPerClass, onItem, log: silent });
  onTestFinished(async () => {
    await puller.stop();
    await own.close();
  });
  return { counts, puller };
}

/** Puts items into a lane and gives their ids. Tests wait for their own: a killed server brings back what was acknowledged last. */
async function enqueue(count: number, lane: Partial<Pick<LaneState, "class" | "lane">> = {}): Promise<string[]> {
  const queue = queueOf(bus);
  const records = Array.from({ length: count }, () => aRecord(lane));
  await inParallel(Array(count).keys(), 64, async (index) => {
    const record = records[index];
    if (record) await queue.enqueue(record, 1);
  });
  return records.map(({ id }) => id);
}

const allOf = (ids: readonly string[], done: ReadonlySet<string>) => ids.every((id) => done.has(id));

/** Items that are pulled and not yet answered, over all lanes. */
async function unanswered(): Promise<number> {
  const answer = await bus.requests.request("$JS.API.CONSUMER.LIST.WORK", "", { timeoutMs: 5_000 });
  const { consumers } = answer.json<{ consumers: { num_ack_pending: number }[] }>();
  return consumers.reduce((sum, { num_ack_pending }) => sum + num_ack_pending, 0);
}

test("2,000 items go through 20 slots, never more than 20 at once, also not pulled", async () => {
  await enqueue(1_000, { lane: "bulk" });
  await enqueue(500, { class: "high" });
  await enqueue(500, { class: "batch", lane: "bulk" });
  const { counts } = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(5));
  await until("all are done", () => counts.done.size === 2_000);
  expect(counts.most).toBeGreaterThan(10);
  expect(counts.most).toBeLessThanOrEqual(20);
  // An item that was pulled without a free slot would have been handed back, and delivered again.
  expect(counts).toMatchObject({ deliveries: 2_000, deliveredAgain: 0 });
});

test("while all slots are busy, nothing more is pulled", async () => {
  const ids = await enqueue(60, { lane: "bulk" });
  const go = Promise.withResolvers<void>();
  const { counts } = await startWorker({ high: 5, normal: 10, batch: 5 }, () => go.promise);
  const fast = await enqueue(60);
  await until("the slots are busy", () => counts.running >= 15);
  // Nothing moves now, so that the counts of the lanes belong together.
  for (let i = 0; i < 10; i++) {
    expect(await unanswered()).toBeLessThanOrEqual(20);
    await delay(50);
  }
  go.resolve();
  await until("all are done", () => allOf([...ids, ...fast], counts.done));
});

test("it goes on after the server was killed, and keeps to its slots", async () => {
  const ids = await enqueue(2_000, { lane: "bulk" });
  const { counts } = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(5));
  for (const share of [500, 1_000]) {
    await until(`${share} are done`, () => counts.done.size > share);
    await server.kill();
    await server.restart();
  }
  await until("all are done", () => allOf(ids, counts.done));
  expect(counts.most).toBeLessThanOrEqual(20);
  await until("the queue's own connection stands again", () => bus.connected());
});

test("an idle worker gets an item at once, in every lane", async () => {
  const { counts } = await startWorker({ high: 5, normal: 20, batch: 50 }, () => Promise.resolve());
  for (const jobClass of JOB_CLASSES) {
    for (const lane of LANES) {
      const ids = await enqueue(1, { class: jobClass, lane });
      await until(`${jobClass}-${lane} is served`, () => allOf(ids, counts.done), 2_000);
    }
  }
});

test("one job in the fast lane does not wait for a flood in the bulk lane", async () => {
  const flood = await enqueue(300, { lane: "bulk" });
  const { counts } = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(50));
  await until("the flood runs", () => counts.done.size > 20);
  const one = await enqueue(1);
  await until("the one job is done", () => allOf(one, counts.done));
  expect(allOf(flood, counts.done)).toBe(false);
  await until("all are done", () => allOf(flood, counts.done));
});

test("a worker with fewer slots than lanes serves every lane", async () => {
  const flood = await enqueue(20, { class: "batch", lane: "bulk" });
  const { counts } = await startWorker({ high: 1, normal: 1, batch: 1 }, () => delay(20));
  const others = [await enqueue(1, { class: "normal", lane: "bulk" }), await enqueue(1, { class: "high" })];
  await until("all are done", () => allOf([...flood, ...others.flat()], counts.done));
  expect(counts.most).toBeLessThanOrEqual(3);
});

test("two workers share the items; the one that stops leaves the rest to the other at once", async () => {
  const ids = await enqueue(200);
  const slots = { high: 5, normal: 10, batch: 5 };
  const work = () => delay(20);
  const leaving = await startWorker(slots, work);
  const staying = await startWorker(slots, work);
  await until("both work", () => leaving.counts.done.size > 5 && staying.counts.done.size > 5);
  await leaving.puller.stop();
  await until("the running ones are done", () => leaving.puller.running() === 0);
  const doneWhenStopped = leaving.counts.done.size;
  const done = () => new Set([...leaving.counts.done, ...staying.counts.done]);
  // Soon enough to tell that no item sat out its ack_wait at the worker that left.
  await until("all are done", () => allOf(ids, done()), SETTINGS.ackWaitMs - 100);
  expect(leaving.counts.done.size).toBe(doneWhenStopped);
});

test("a worker that is paused pulls nothing, whoever else is there gets it, and it goes on where it is resumed", async () => {
  const slots = { high: 5, normal: 10, batch: 5 };
  const paused = await startWorker(slots, () => Promise.resolve());
  const before = await enqueue(1);
  await until("the first is done", () => allOf(before, paused.counts.done));
  paused.puller.pause();
  const ids = await enqueue(50);
  const other = await startWorker(slots, () => Promise.resolve());
  await until("the other one has done all", () => allOf(ids, other.counts.done));
  expect(paused.counts.deliveries).toBe(1);
  await other.puller.stop();
  const later = await enqueue(50);
  // Longer than its open requests may have waited at the server.
  await until("what was on its way is back", async () => (await unanswered()) === 0);
  expect(paused.counts.deliveries).toBe(1);
  paused.puller.resume();
  await until("all are done", () => allOf(later, paused.counts.done));
});

test("an item that was handed back comes again after its delay, and counts its deliveries", async () => {
  const deliveries: { id: string; at: number; count: number }[] = [];
  const { counts } = await startWorker({ high: 5, normal: 10, batch: 5 }, async ({ item, deliveryCount, nak }) => {
    deliveries.push({ id: item?.id ?? "", at: performance.now(), count: deliveryCount });
    if (deliveryCount < 3) {
      nak(300);
      throw new Error("not now");
    }
  });
  const ids = await enqueue(1);
  await until("it is done", () => allOf(ids, counts.done));
  const [first, second, third] = deliveries.filter(({ id }) => id === ids[0]);
  expect([first?.count, second?.count, third?.count]).toEqual([1, 2, 3]);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(250);
});
