import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { readBothSides } from "../support/both-sides.ts";
import { createDownload, getJob, type Job, request } from "../support/download-client.ts";
import { type Ledger, openLedger } from "../support/ledger.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const JOBS = 1_000;
const WIDTH = 50;
const FIRST_ID = 70_000;
const FILES = 20;
const ACK_WAIT_MS = 3_000;

let stack: TestStack;
let ledger: Ledger;

beforeAll(async () => {
  stack = await startTestStack({
    servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") },
    env: { ACK_WAIT_MS: `${ACK_WAIT_MS}` },
    counts: { processor: 2 },
  });
  await stack.seed(FIRST_ID, FILES, 20_000);
  ledger = await openLedger(stack.run().nats.url);
});
afterAll(async () => {
  await ledger?.close();
  await stack?.dispose();
});

/** Creates until it is accepted: on a busy machine a write may take longer than the bus waits. */
const create = (fileIds: number[]) =>
  until("a job to be accepted", async () => {
    const answer = await createDownload(stack.baseUrl, fileIds).catch(() => null);
    return answer?.status === 202 ? answer.body.id : null;
  });

const PATIENCE_MS = 360_000;
const MANY = "1,000 jobs end once each although the processor is killed three times, and each result is there";

test(MANY, { timeout: PATIENCE_MS }, async () => {
  const ids: string[] = [];
  const creating = inParallel(Array(JOBS).keys(), WIDTH, async (index) => {
    // Every fifth job is an archive of its own, so that a kill also finds results half made.
    const fileIds = index % 5 === 0 ? [FIRST_ID, FIRST_ID + 1 + (index % (FILES - 1))] : [FIRST_ID + (index % FILES)];
    ids.push(await create(fileIds));
  });
  for (const share of [0.2, 0.4, 0.6]) {
    await until(`${JOBS * share} ends`, () => ledger.ends.size >= JOBS * share, 120_000);
    await stack.signal("processor", "SIGKILL");
  }
  await creating;
  await until("all jobs to end", () => ids.every((id) => ledger.ends.has(`${id}/1`)), 120_000);
  expect([...ledger.ends.values()].filter((ends) => ends.join() !== "completed")).toEqual([]);
  expect(new Set(ids).size).toBe(JOBS);

  await inParallel(Array(JOBS).keys(), WIDTH, async (i) => {
    const id = ids[i] ?? "";
    const { body } = await getJob(stack.baseUrl, id);
    expect(body).toMatchObject({ status: "completed", result: { partial: false } });
    const content = await fetch(`${stack.baseUrl}/v1/downloads/${id}/content`, {
      method: "HEAD",
      headers: { "x-user-id": "ann" },
    });
    expect(content.headers.get("content-length")).toBe(`${body.result?.sizeBytes}`);
  });
});

test("a frozen worker that wakes up after another took its job over changes nothing", async () => {
  await stack.seed(80_000, 4, 40_000_000);
  const { body: created } = await createDownload(stack.baseUrl, [80_000, 80_001, 80_002, 80_003]);
  const { id } = created;
  const frozen = await until("the job to run", async () => {
    const { records } = await readBothSides(stack.run(), [id]);
    const record = records.get(id)?.record;
    return record?.status === "running" ? Number(record.run?.worker.split("-").at(-1)) : null;
  });
  process.kill(frozen, "SIGSTOP");
  let taken: Job;
  try {
    taken = await until("the other worker to end it", async () => completedJob(id), 90_000);
  } finally {
    process.kill(frozen, "SIGCONT");
  }
  const { records: before } = await readBothSides(stack.run(), [id]);
  await until("the woken worker to have let go", async () => (await busyPercent(frozen)) === 0);
  expect(ledger.ends.get(`${id}/1`)).toEqual(["completed"]);
  expect((await getJob(stack.baseUrl, id)).body).toEqual(taken);
  const { records: after } = await readBothSides(stack.run(), [id]);
  expect(after).toEqual(before);
});

async function completedJob(id: string): Promise<Job | null> {
  const { body } = await getJob(stack.baseUrl, id);
  return body.status === "completed" ? body : null;
}

async function busyPercent(pid: number): Promise<number> {
  const metrics = stack.run().processes.find((p) => p.pid === pid)?.ports.metrics;
  const { body } = await request<string>(`http://127.0.0.1:${metrics}/metrics`);
  return Number(/^download_worker_utilization\S* (\S+)$/m.exec(body)?.[1]);
}
