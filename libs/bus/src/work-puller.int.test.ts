import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsServer, startNats } from "../../../tests/support/nats.ts";
import { inParallel, until } from "../../../tests/support/until.ts";
import { type Bus, connectBus } from "./connect.ts";
import type { Delivery } from "./delivery.ts";
import type { LaneState, SlotsPerClass } from "./slots.ts";
import { aRecord, connectTo, migrate, queueOf, silent } from "./testing/fixtures.ts";
import { type Puller, startPuller } from "./work-puller.ts";

let server: NatsServer;
let bus: Bus;

beforeAll(async () => {
  server = await startNats();
  bus = await connectTo(server.url);
  await migrate(bus);
});
afterAll(async () => {
  await bus?.close();
  await server?.remove();
});

/** A worker of its own connection that counts what it is given. */
async function startWorker(slotsPerClass: SlotsPerClass, work: (delivery: Delivery) => Promise<void>) {
  const own = await connectBus({ servers: [server.url], name: "worker", log: silent });
  const counts = { running: 0, most: 0, deliveries: 0, done: new Set<string>() };
  const onItem = async (delivery: Delivery) => {
    counts.most = Math.max(counts.most, ++counts.running);
    counts.deliveries++;
    try {
      await work(delivery);
      delivery.ack();
      counts.done.add(delivery.subject);
    } finally {
      counts.running--;
    }
  };
  const puller: Puller = startPuller(own, { slotsPerClass, onItem, log: silent });
  const stop = async () => {
    await puller.stop();
    await own.close();
  };
  return { counts, puller, stop };
}

async function enqueue(count: number, lane: Partial<Pick<LaneState, "class" | "lane">> = {}): Promise<void> {
  const queue = queueOf(bus);
  await inParallel(count, 64, async () => {
    await queue.enqueue(aRecord(lane), 1);
  });
}

/** Items that are pulled and not yet answered, over all lanes. */
async function unanswered(): Promise<number> {
  const answer = await bus.requests.request("$JS.API.CONSUMER.LIST.WORK", "", { timeoutMs: 1_000 });
  return answer
    .json<{ consumers: { num_ack_pending: number }[] }>()
    .consumers.reduce((n, c) => n + c.num_ack_pending, 0);
}

test("2,000 items go through 20 slots, never more than 20 at once, also not pulled", async () => {
  await enqueue(1_000, { lane: "bulk" });
  await enqueue(500, { class: "high" });
  await enqueue(500, { class: "batch", lane: "bulk" });
  const worker = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(5));
  let mostPulled = 0;
  await until("all are done", async () => {
    mostPulled = Math.max(mostPulled, await unanswered());
    return worker.counts.done.size === 2_000;
  });
  expect(worker.counts.most).toBeGreaterThan(10);
  expect(worker.counts.most).toBeLessThanOrEqual(20);
  expect(mostPulled).toBeLessThanOrEqual(20);
  expect(worker.counts.deliveries).toBe(2_000);
  await worker.stop();
});

test("it goes on after the server was killed, and keeps to its slots", async () => {
  await enqueue(2_000, { lane: "bulk" });
  const worker = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(5));
  for (const share of [500, 1_000]) {
    await until(`${share} are done`, () => worker.counts.done.size > share);
    await server.kill();
    await server.start();
  }
  await until("all are done", () => worker.counts.done.size === 2_000);
  expect(worker.counts.most).toBeLessThanOrEqual(20);
  await worker.stop();
});

test("an idle worker gets an item at once, in every lane", async () => {
  const worker = await startWorker({ high: 5, normal: 20, batch: 50 }, () => Promise.resolve());
  for (const [index, lane] of ["fast", "bulk", "fast", "bulk"].entries()) {
    await enqueue(1, { class: index < 2 ? "high" : "batch", lane: lane as "fast" | "bulk" });
    await until("it is done", () => worker.counts.done.size === index + 1, 1_000);
  }
  await worker.stop();
});

test("one job in the fast lane does not wait for a flood in the bulk lane", async () => {
  await enqueue(300, { lane: "bulk" });
  const worker = await startWorker({ high: 5, normal: 10, batch: 5 }, () => delay(50));
  await until("the flood runs", () => worker.counts.done.size > 20);
  const record = aRecord();
  await queueOf(bus).enqueue(record, 1);
  const doneBefore = worker.counts.done.size;
  await until("the one job is done", () => [...worker.counts.done].some((subject) => subject.includes(record.id)));
  expect(worker.counts.done.size - doneBefore).toBeLessThan(100);
  await until("all are done", () => worker.counts.done.size === 301);
  await worker.stop();
});

test("a worker with fewer slots than lanes serves every lane", async () => {
  await enqueue(20, { class: "batch", lane: "bulk" });
  const worker = await startWorker({ high: 1, normal: 1, batch: 1 }, () => delay(20));
  await enqueue(1, { class: "normal", lane: "bulk" });
  await enqueue(1, { class: "high", lane: "fast" });
  await until("all are done", () => worker.counts.done.size === 22, 5_000);
  expect(worker.counts.most).toBeLessThanOrEqual(3);
  await worker.stop();
});

test("two workers share the items; the one that stops leaves the rest to the other at once", async () => {
  await enqueue(200);
  const slots = { high: 5, normal: 10, batch: 5 };
  const leaving = await startWorker(slots, () => delay(20));
  const staying = await startWorker(slots, () => delay(20));
  await until("both work", () => leaving.counts.done.size > 5 && staying.counts.done.size > 5);
  await leaving.puller.stop();
  await until("the running ones are done", () => leaving.puller.running() === 0);
  const begin = performance.now();
  await until("all are done", () => leaving.counts.done.size + staying.counts.done.size === 200);
  // Nothing sat out its ack_wait of 3 s.
  expect(performance.now() - begin).toBeLessThan(2_500);
  await leaving.stop();
  await staying.stop();
});

test("an item that was handed back comes again after its delay, and counts its deliveries", async () => {
  const times: { at: number; count: number }[] = [];
  const worker = await startWorker({ high: 5, normal: 10, batch: 5 }, async ({ deliveryCount, nak }) => {
    times.push({ at: performance.now(), count: deliveryCount });
    if (deliveryCount < 3) {
      nak(300);
      throw new Error("not now");
    }
  });
  await enqueue(1);
  await until("it is done", () => worker.counts.done.size === 1);
  expect(times.map(({ count }) => count)).toEqual([1, 2, 3]);
  expect((times[1]?.at ?? 0) - (times[0]?.at ?? 0)).toBeGreaterThan(250);
  await worker.stop();
});
