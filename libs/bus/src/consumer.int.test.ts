import type { JobRecord } from "@longhaul/contracts";
import { claim } from "@longhaul/job";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnBus, startOwnBus } from "../../../tests/support/own-bus.ts";
import { until } from "../../../tests/support/until.ts";
import type { Bus } from "./connect.ts";
import { type BatchReader, openBatches } from "./consumer.ts";
import { aNewJob, PUT, silent, storeOf } from "./testing/fixtures.ts";

let server: OwnBus;
let bus: Bus;
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startOwnBus();
  bus = server.bus;
});
afterAll(() => server?.remove());

async function create(count: number): Promise<string[]> {
  const store = storeOf(bus);
  const ids: string[] = [];
  await inParallel(Array(count).keys(), 64, async () => {
    const change = aNewJob();
    await store.put(change.record.id, 0, change, { ...PUT, deadlineMs: 20_000 });
    ids.push(change.record.id);
  });
  return ids;
}

/** Reads and acknowledges until everything in `ids` was seen; gives the sizes of the batches. */
async function readAll(reader: BatchReader, ids: readonly string[], max: number): Promise<number[]> {
  const missing = new Set(ids);
  const sizes: number[] = [];
  while (missing.size > 0) {
    const batch = await reader.next(max, never);
    for (const { record } of batch.items) missing.delete(record.id);
    sizes.push(batch.full ? max : batch.items.length);
    batch.ack();
  }
  return sizes;
}

test("a backlog comes in full batches, each message once", async () => {
  const ids = await create(1_050);
  const reader = openBatches(bus, { durable: "projector", log: silent });
  expect(await readAll(reader, ids, 500)).toEqual([500, 500, 50]);
  await reader.close();
});

test("an idle reader is given what is written at once", async () => {
  const reader = openBatches(bus, { durable: "projector", log: silent });
  for (let round = 0; round < 3; round++) {
    const next = reader.next(500, never);
    const [id] = await create(1);
    const begin = performance.now();
    const batch = await next;
    batch.ack();
    expect(batch.items.map(({ record }) => record.id)).toEqual([id]);
    // A message that is only found by the next request comes after seconds.
    expect(performance.now() - begin).toBeLessThan(2_000);
  }
  await reader.close();
});

test("of a job that was written again in between only the newest is delivered", async () => {
  const store = storeOf(bus);
  const change = aNewJob();
  const result = await store.put(change.record.id, 0, change, PUT);
  if (result.kind !== "done") throw new Error(result.kind);
  const run = { id: "r", worker: "w", item: 1, startedAt: new Date().toISOString() };
  await store.put(
    change.record.id,
    result.seq,
    claim(result.record as JobRecord, { run, key: null, now: new Date() }),
    PUT,
  );

  const reader = openBatches(bus, { durable: "projector", log: silent });
  const { items, ack } = await reader.next(500, never);
  ack();
  expect(items).toMatchObject([{ type: "download.started.v1", record: { id: change.record.id, status: "running" } }]);
  await reader.close();
});

test("what nobody can read is left out and does not come again", async () => {
  bus.nc.publish("download.job.unreadable", "{");
  const [id] = await create(1);
  const reader = openBatches(bus, { durable: "projector", log: silent });
  const seen: string[] = [];
  while (!seen.includes(id ?? "")) {
    const batch = await reader.next(500, never);
    seen.push(...batch.items.map(({ record }) => record.id));
    batch.ack();
  }
  expect(seen).toEqual([id]);
  await until("everything is acknowledged", async () => {
    const info = await bus.requests.request("$JS.API.CONSUMER.INFO.JOBS.projector", "", { timeoutMs: 1_000 });
    return info.json<{ num_ack_pending: number }>().num_ack_pending === 0;
  });
  await reader.close();
});

test("of a batch that was acknowledged but for one, that one comes again after ack_wait", async () => {
  const [kept = "", ...others] = await create(3);
  const reader = openBatches(bus, { durable: "projector", log: silent });
  const seen: string[] = [];
  while (seen.length < 3) {
    const { items, ack } = await reader.next(500, never);
    seen.push(...items.map(({ record }) => record.id));
    ack({ but: new Set(items.filter(({ record }) => record.id === kept)) });
  }
  expect(new Set(seen)).toEqual(new Set([kept, ...others]));
  const again = await reader.next(500, never);
  expect(again.items.map(({ record }) => record.id)).toEqual([kept]);
  again.ack();
  await reader.close();
});

test("it goes on after the server was killed, while it waits and while it reads", async () => {
  const reader = openBatches(bus, { durable: "projector", log: silent });
  const waiting = reader.next(100, never);
  await server.kill();
  await server.restart();
  const ids = await create(400);
  const first = await waiting;
  first.ack();
  const rest = ids.filter((id) => !first.items.some(({ record }) => record.id === id));
  await server.kill();
  const reading = readAll(reader, rest, 100);
  await server.restart();
  await reading;
  await reader.close();
});

test("an aborted wait ends at once, with the reason", async () => {
  const reader = openBatches(bus, { durable: "projector", log: silent });
  const stop = new AbortController();
  const waiting = reader.next(10, stop.signal);
  stop.abort(new Error("shutting down"));
  await expect(waiting).rejects.toThrow("shutting down");
  await reader.close();
});

test("a reader that is closed gives back what it had: the next one need not wait for ack_wait", async () => {
  const consumer = async () =>
    (await bus.requests.request("$JS.API.CONSUMER.INFO.JOBS.projector", "", { timeoutMs: 5_000 })).json<{
      num_pending: number;
      num_ack_pending: number;
      config: Record<string, unknown>;
    }>();
  const { config } = await consumer();
  const update = async (ackWaitNs: unknown) =>
    await bus.requests.request(
      "$JS.API.CONSUMER.CREATE.JOBS.projector",
      JSON.stringify({ stream_name: "JOBS", config: { ...config, ack_wait: ackWaitNs } }),
      { timeoutMs: 5_000 },
    );
  // Longer than this test may take.
  await update(600 * 1e9);
  const ids = await create(3);
  const reader = openBatches(bus, { durable: "projector", log: silent });
  const inHand = await reader.next(1, never);
  const stop = new AbortController();
  const unheard = reader.next(1, stop.signal);
  await until("both are delivered", async () => (await consumer()).num_ack_pending >= 2);
  stop.abort(new Error("shutting down"));
  await unheard.catch(() => undefined);
  await reader.close();
  inHand.ack();

  const next = openBatches(bus, { durable: "projector", log: silent });
  await readAll(next, ids, 100);
  await next.close();
  await update(config.ack_wait);
});
