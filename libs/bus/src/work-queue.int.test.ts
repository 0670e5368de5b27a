import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnBus, startOwnBus } from "../../../tests/support/own-bus.ts";
import { until } from "../../../tests/support/until.ts";
import type { Bus } from "./connect.ts";
import type { Delivery } from "./delivery.ts";
import { aRecord, queueOf, silent, TRACEPARENT } from "./testing/fixtures.ts";
import { startPuller } from "./work-puller.ts";

let server: OwnBus;
let bus: Bus;

beforeAll(async () => {
  server = await startOwnBus();
  bus = server.bus;
});
afterAll(() => server?.remove());

/** Holds each delivery until it is settled by the test. */
function holdDeliveries() {
  const held: Delivery[] = [];
  const release = Promise.withResolvers<void>();
  const slotsPerClass = { high: 5, normal: 20, batch: 50 };
  const onItem = (delivery: Delivery) => {
    held.push(delivery);
    return release.promise;
  };
  const puller = startPuller(bus, { slotsPerClass, onItem, log: silent });
  const stop = async () => {
    release.resolve();
    await puller.stop();
  };
  return { held, stop };
}

test("an item is there once, also while it is being worked on, and again after it was done", async () => {
  const queue = queueOf(bus);
  const record = aRecord();
  expect(await queue.enqueue(record, 1)).toBe("sent");
  expect(await queue.enqueue(record, 1)).toBe("present");
  expect(await queue.length()).toBe(1);

  const { held, stop } = holdDeliveries();
  const delivery = await until("the item is delivered", () => held.find(({ item }) => item?.id === record.id));
  expect(await queue.enqueue(record, 1)).toBe("present");
  expect(await queue.length()).toBe(0);
  expect(await queue.itemAlive(delivery.sequence, record.id)).toBe(true);
  expect(await queue.itemAlive(delivery.sequence, randomUUID())).toBe(false);

  delivery.ack();
  await until("the item is gone", async () => !(await queue.itemAlive(delivery.sequence, record.id)));
  expect(await queue.enqueue(record, 1)).toBe("sent");
  await until("it is delivered again", () => held.filter(({ item }) => item?.id === record.id).length === 2);
  held.at(-1)?.ack();
  await stop();
});

test("a first delivery carries the queued record and its trace, a bare hint carries none", async () => {
  const queue = queueOf(bus);
  const [full, bare] = [aRecord({ class: "high" }), aRecord({ class: "batch", lane: "bulk" })];
  await queue.enqueue(full, 42);
  await queue.enqueue(bare, null);
  const { held, stop } = holdDeliveries();
  await until("both are delivered", () => held.length === 2);

  expect(held.find(({ item }) => item?.id === full.id)).toMatchObject({
    item: { generation: 1, known: { seq: 42, record: full } },
    address: { class: "high", lane: "fast", id: full.id, generation: 1 },
    deliveryCount: 1,
    traceparent: TRACEPARENT,
  });
  expect(held.find(({ item }) => item?.id === bare.id)?.item?.known).toBeNull();
  for (const delivery of held) delivery.ack();
  await stop();
});

test("all items of a job are removed, also one that somebody holds, and no others", async () => {
  const queue = queueOf(bus);
  const [record, other] = [aRecord({ class: "high" }), aRecord({ class: "high" })];
  await queue.enqueue(record, null);
  await queue.enqueue(other, null);
  const { held, stop } = holdDeliveries();
  const delivery = await until("the item is delivered", () => held.find(({ item }) => item?.id === record.id));
  await queue.enqueue({ ...record, generation: 2, spec: { ...record.spec, lane: "bulk" } }, null);

  expect(await queue.removeItems(record.id)).toBe(2);
  expect(await queue.itemAlive(delivery.sequence, record.id)).toBe(false);
  expect(await queue.removeItems(record.id)).toBe(0);
  expect(await queue.enqueue(other, null)).toBe("present");
  const racing = await Promise.all([1, 2, 3].map(() => queue.removeItems(other.id)));
  expect(racing).toContain(1);
  await stop();
});

test("a send that fails while the server is away is made up for", async () => {
  const record = aRecord();
  await server.kill();
  await until("the loss is noticed", () => !bus.connected());
  queueOf(bus).send(record, 1);
  await server.restart();

  const { held, stop } = holdDeliveries();
  const delivery = await until("it is delivered", () => held.find(({ item }) => item?.id === record.id));
  delivery.ack();
  await stop();
});

test("what nobody can read is delivered as null, can be put aside and ended", async () => {
  const queue = queueOf(bus);
  const subjects = ["no-json", "wrong-address"].map((id) => `download.requested.normal.fast.${id}.1`);
  bus.nc.publish(subjects[0] ?? "", "{");
  bus.nc.publish(subjects[1] ?? "", JSON.stringify({ id: randomUUID(), generation: 1, known: null }));

  const { held, stop } = holdDeliveries();
  // The server that was killed above may bring back an item whose acknowledgement it had not written yet.
  const mine = await until("both are delivered", () => {
    const unreadable = held.filter(({ subject }) => subjects.includes(subject));
    return unreadable.length === 2 && unreadable;
  });
  for (const { item, address, subject, bytes, term } of mine) {
    expect({ item, address }).toEqual({ item: null, address: null });
    await queue.deadLetter({ subject, bytes, reason: "unreadable" });
    term("unreadable");
  }
  const info = async (stream: string) =>
    (await bus.requests.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeoutMs: 1_000 })).json<{
      state: { messages: number };
    }>();
  for (const { sequence, subject } of mine) {
    const id = subject.split(".")[4] ?? "";
    await until("it is gone from WORK", async () => !(await queue.itemAlive(sequence, id)));
  }
  expect((await info("DEADLETTERS")).state.messages).toBe(2);
  await stop();
});
