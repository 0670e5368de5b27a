import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { readBothSides } from "../support/both-sides.ts";
import { createDownload, getJob, type Job } from "../support/download-client.ts";
import { type Ledger, openLedger } from "../support/ledger.ts";
import { type SharedServers, startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const JOBS = 1_000;
const WIDTH = 50;
const FILES = 20;
const FIRST_ID = 70_000;

let servers: SharedServers;
let stack: TestStack;
let ledger: Ledger;
const name = `load${process.pid}`;

beforeAll(async () => {
  servers = { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") };
  stack = await startTestStack({ servers, name, counts: { gateway: 2, processor: 2, notifier: 2 } });
  await stack.seed(FIRST_ID, FILES, 1_000);
  ledger = await openLedger(stack.run().nats.url);
});
afterAll(async () => {
  await ledger?.close();
  await stack?.dispose();
});

/** Creates until it is accepted, as a client does: a gateway that restarts refuses connections or answers 503. */
async function create(index: number): Promise<string> {
  return until(`job ${index} to be accepted`, async () => {
    const gateways = stack.run().processes.filter((p) => p.name === "gateway");
    const gateway = gateways[index % gateways.length];
    const answer = await createDownload(`http://127.0.0.1:${gateway?.ports.http}`, [FIRST_ID + (index % FILES)]).catch(
      () => null,
    );
    return answer?.status === 202 ? answer.body.id : null;
  });
}

const PATIENCE_MS = 360_000;
const MANY = "1,000 jobs end once each while every kind of service gets a SIGTERM, and their views tell the same";

test(MANY, { timeout: PATIENCE_MS }, async () => {
  const ids: string[] = [];
  const creating = inParallel(Array(JOBS).keys(), WIDTH, async (index) => {
    ids.push(await create(index));
  });
  for (const [service, at] of [
    ["processor", 0.2],
    ["notifier", 0.4],
    ["gateway", 0.6],
    ["processor", 0.8],
  ] as const) {
    await until(`${JOBS * at} jobs`, () => ids.length >= JOBS * at, 60_000);
    await stack.signal(service, "SIGTERM");
  }
  await creating;
  expect(new Set(ids).size).toBe(JOBS);

  await until("all jobs to end", () => ids.every((id) => ledger.ends.has(`${id}/1`)), 90_000);
  const wrong = ids.filter((id) => ledger.ends.get(`${id}/1`)?.join() !== "completed");
  expect(wrong.map((id) => ledger.ends.get(`${id}/1`))).toEqual([]);

  await expectViewsToEqualRecords(ids);
});

test("a second start on the same data finds every job", async () => {
  const ids = [...ledger.ends.keys()].map((key) => key.split("/")[0] ?? "");
  const before = new Map<string, Job>();
  await inParallel(ids.keys(), WIDTH, async (i) => {
    before.set(ids[i]!, (await getJob(stack.baseUrl, ids[i]!)).body);
  });
  await ledger.close();
  await stack.dispose(true);
  stack = await startTestStack({ servers, again: { dataDir: stack.dataDir, name } });
  ledger = await openLedger(stack.run().nats.url);
  await inParallel(ids.keys(), WIDTH, async (i) => {
    const again = await getJob(stack.baseUrl, ids[i]!);
    expect(again).toMatchObject({ status: 200, body: before.get(ids[i]!) });
  });
  await expectViewsToEqualRecords(ids);
});

async function expectViewsToEqualRecords(ids: string[]): Promise<void> {
  const { views, records } = await until(
    "every view to be as new as its record",
    async () => {
      const both = await readBothSides(stack.run(), ids);
      return ids.every((id) => both.records.has(id) && both.views.get(id)?.seq === both.records.get(id)?.seq) && both;
    },
    60_000,
  );
  for (const id of ids) expect(views.get(id)?.record).toEqual(records.get(id)?.record);
}
