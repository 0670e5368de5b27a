import { inParallel } from "@longhaul/runtime";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { type Job, request } from "../support/download-client.ts";
import { endsWhileWaiting, type JobOrder, longestPause, watchOrder } from "../support/job-order.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const SLOTS_HIGH = 5;
const SLOTS_NORMAL = 10;
const SLOTS_BATCH = 5;
const SLOTS = SLOTS_HIGH + SLOTS_NORMAL + SLOTS_BATCH;
const WIDTH = 32;
/** Made-up files: from the first id on they take a moment, from the second on a while. */
const SHORT_FILE = 10_000;
const LONG_FILE = 20_000;
const LONG_MS = 3_000;
/** Jobs of each flood beside which others must not starve; and of the one long flood, for each slot. */
const SIZES = scaled({ short: { flood: 60, longPerSlot: 3 }, full: { flood: 1_000, longPerSlot: 125 } });

let stack: TestStack;
let order: JobOrder;

afterEach(async () => {
  await order?.close();
  await stack?.dispose();
});

type Wish = { user: string; priority: "high" | "normal" | "batch"; fileId: number };

async function create({ user, priority, fileId }: Wish): Promise<string> {
  const { status, body } = await request<Job>(`${stack.baseUrl}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": user },
    body: JSON.stringify({ fileIds: [fileId], priority }),
  });
  expect(status).toBe(202);
  return body.id;
}

/** Jobs of one user: all but the first few go to the bulk lane. */
const flood = (count: number, wish: Wish) =>
  inParallel(Array(count).keys(), WIDTH, async () => void (await create(wish)));
/** As many users with a single job each: all of them go to the fast lane. */
const crowd = (count: number, priority: Wish["priority"]) =>
  inParallel(Array(count).keys(), WIDTH, async (index) => {
    await create({ user: `${priority}-${index}`, priority, fileId: SHORT_FILE });
  });

/** Signals every processor: while they stand still, a backlog grows in each lane. */
function signalProcessors(signal: NodeJS.Signals): void {
  for (const { name, pid } of stack.run().processes) if (name === "processor") process.kill(pid, signal);
}

/** Items that are pulled and not answered, as the server counts them; null while they change between two looks. */
async function pulledNow(): Promise<number | null> {
  const [first, second] = [await lookAtLanes(), await lookAtLanes()];
  return first.state === second.state ? second.pulled : null;
}

async function lookAtLanes(): Promise<{ state: string; pulled: number }> {
  type Consumer = { name: string; num_ack_pending: number; delivered: { consumer_seq: number } };
  type Jsz = { account_details: { stream_detail: { name: string; consumer_detail: Consumer[] }[] }[] };
  const nats = stack.run().processes.find(({ name }) => name === "nats");
  const { body } = await request<Jsz>(`http://127.0.0.1:${nats?.ports.http}/jsz?consumers=true`);
  const streams = body.account_details.flatMap((account) => account.stream_detail);
  const lanes = streams.find(({ name }) => name === "WORK")?.consumer_detail ?? [];
  expect(lanes).toHaveLength(6);
  const state = lanes.map(({ name, num_ack_pending, delivered }) => [name, num_ack_pending, delivered.consumer_seq]);
  return { state: JSON.stringify(state.sort()), pulled: lanes.reduce((sum, lane) => sum + lane.num_ack_pending, 0) };
}

describe.each([1, 2])("with %i processors", (processors) => {
  const slots = SLOTS * processors;

  beforeEach(async () => {
    stack = await startTestStack({
      servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") },
      counts: { processor: processors },
      env: {
        SOURCE_KIND: "synthetic",
        SYNTHETIC_SIZE_BYTES: "20000",
        SYNTHETIC_RULES: `${SHORT_FILE}:200ms,${LONG_FILE}:${LONG_MS}ms`,
        SLOTS_HIGH: `${SLOTS_HIGH}`,
        SLOTS_NORMAL: `${SLOTS_NORMAL}`,
        SLOTS_BATCH: `${SLOTS_BATCH}`,
        ACK_WAIT_MS: "60000",
      },
    });
    order = await watchOrder(stack.run().nats.url);
  });

  test("no lane starves beside floods, a single job starts within a slot's turn, and no more is pulled than slots", async () => {
    signalProcessors("SIGSTOP");
    await Promise.all([
      flood(SIZES.flood, { user: "ann", priority: "normal", fileId: SHORT_FILE }),
      flood(SIZES.flood, { user: "ben", priority: "batch", fileId: SHORT_FILE }),
      crowd(SIZES.flood, "high"),
      crowd(SIZES.flood, "normal"),
    ]);
    signalProcessors("SIGCONT");
    const ended = () => order.happenings.filter(({ what }) => what === "ended").length;
    await until("the floods to be over", () => ended() === 4 * SIZES.flood, scaled({ short: 90_000, full: 600_000 }));
    const rivals = ["high-fast", "normal-fast"];
    for (const lane of ["normal-bulk", "batch-fast", "batch-bulk"]) {
      expect({ lane, pause: longestPause(order, lane, rivals) }).toSatisfy(({ pause }) => pause <= 2 * slots);
    }

    await flood(SIZES.longPerSlot * slots, { user: "mob", priority: "normal", fileId: LONG_FILE });
    await until("the long flood to fill the slots", () => order.running() >= 0.75 * slots);
    const singles = await Promise.all(
      (["high", "normal", "batch"] as const).map((priority) =>
        create({ user: `single-${priority}`, priority, fileId: SHORT_FILE }),
      ),
    );
    const pulled: number[] = [];
    await until("the single jobs to start", async () => {
      pulled.push((await pulledNow()) ?? 0);
      return singles.every((id) => endsWhileWaiting(order, id) !== null);
    });
    for (const id of singles) expect(endsWhileWaiting(order, id)).toBeLessThanOrEqual(slots);
    const started = order.happenings.filter(({ what }) => what === "started").length;
    const created = order.happenings.filter(({ what }) => what === "created").length;
    expect(started).toBeLessThan(created);

    await until("a look at full lanes that stand still", async () => {
      const now = await pulledNow();
      if (now !== null) pulled.push(now);
      return now !== null && now >= 0.75 * slots;
    });
    expect(Math.max(...pulled)).toBeLessThanOrEqual(slots);
    expect(order.mostRunning()).toBeLessThanOrEqual(slots);
  });
});
