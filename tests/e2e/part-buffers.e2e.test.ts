import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { getJob, type Job, request } from "../support/download-client.ts";
import { type JobOrder, watchOrder } from "../support/job-order.ts";
import { residentMemory } from "../support/resident-memory.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
const PART_BYTES = 5 * MIB;
/** With UPLOAD_CONCURRENCY 2: two parts on their way, and one that fills. */
const PARTS_AT_ONCE = 3;
/** Short: so little that one or two archives of a class hold all that it has. Full: the default. */
const PART_BUFFER_BYTES = scaled({ short: 64, full: 256 }) * MIB;
/** Beside the part buffers, and above what a processor takes that has not run any job. */
const BUDGET_BYTES = 150_000_000;
const CLASSES = ["high", "normal", "batch"] as const;
type JobClass = (typeof CLASSES)[number];
/** The slots of a processor, by default. */
const SLOTS: Record<JobClass, number> = { high: 5, normal: 20, batch: 50 };
const SHARE_BYTES: Record<JobClass, number> = {
  high: PART_BUFFER_BYTES / 4,
  normal: PART_BUFFER_BYTES / 2,
  batch: PART_BUFFER_BYTES / 4,
};
/** Files of 1 MiB of the jobs: the first is the largest, and comes in each class. */
const FILES = scaled({ short: [60, 1, 6, 2, 16, 3, 11], full: [1_000, 1, 12, 4, 150, 60, 1, 30, 8, 2, 16] });
const FAST_ID = 10_000;
const SLOW_ID = 500_000;
const PATIENCE_MS = scaled({ short: 90_000, full: 700_000 });

let stack: TestStack;
let order: JobOrder;
let users = 0;

beforeAll(async () => {
  const env = {
    ...{ SOURCE_KIND: "synthetic", SYNTHETIC_SIZE_BYTES: `${MIB}` },
    // An archive of a hundred slow files goes on for as long as these tests may take.
    SYNTHETIC_RULES: `${SLOW_ID}:10s`,
    PART_BUFFER_BYTES: `${PART_BUFFER_BYTES}`,
    ACK_WAIT_MS: "60000",
    // The default: so many parts at once take their time.
    S3_CALL_TIMEOUT_MS: "30000",
  };
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") }, env });
  order = await watchOrder(stack.run().nats.url);
});
afterAll(async () => {
  await order?.close();
  await stack?.dispose();
});

type Asked = { id: string; user: string };

/** A job of a user who has no other: all of them go to the fast lane. */
async function create(priority: JobClass, files: number, firstId: number): Promise<Asked> {
  const user = `user-${users++}`;
  const { status, body } = await request<Job>(`${stack.baseUrl}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": user },
    body: JSON.stringify({ fileIds: Array.from({ length: files }, (_, i) => firstId + i), priority }),
  });
  expect(status).toBe(202);
  return { id: body.id, user };
}

/** And, of one that failed, why. */
async function statusOf({ id, user }: Asked): Promise<string> {
  const { status, error } = (await getJob(stack.baseUrl, id, user)).body;
  return status === "failed" ? `failed: ${error?.code}` : status;
}

/** What the archives of each class hold of the part buffers, as the processor says. */
async function reserved(): Promise<Record<JobClass, number>> {
  const metrics = stack.run().processes.find(({ name }) => name === "processor")?.ports.metrics;
  const { body } = await request<string>(`http://127.0.0.1:${metrics}/metrics`);
  const of = (jobClass: JobClass) =>
    Number(new RegExp(`^download_part_buffer_bytes\\{class="${jobClass}".* (\\d+)$`, "m").exec(body)?.[1]);
  return { high: of("high"), normal: of("normal"), batch: of("batch") };
}

const nothingReserved = () =>
  until("all buffers to be given back", async () => Object.values(await reserved()).every((bytes) => bytes === 0));

test(
  "75 jobs of mixed sizes, as many as there are slots, all get their buffers, and memory stays in its budget",
  async () => {
    const pid = stack.pid("processor");
    const idle = (await residentMemory(pid)).now;
    // The processor stands still meanwhile, so that all of them are there when it begins.
    process.kill(pid, "SIGSTOP");
    const jobs: Asked[] = [];
    for (const jobClass of CLASSES) {
      for (let i = 0; i < SLOTS[jobClass]; i++) {
        const files = FILES[i % FILES.length] ?? 1;
        // Of the largest there is one in each class.
        jobs.push(await create(jobClass, i > 0 && i % FILES.length === 0 ? 1 : files, FAST_ID + 1_000 * jobs.length));
      }
    }
    process.kill(pid, "SIGCONT");
    const most = { high: 0, normal: 0, batch: 0 };
    const ended = () => order.happenings.filter(({ what }) => what === "ended").length;
    await until(
      "the end of all jobs",
      async () => {
        const now = await reserved();
        for (const jobClass of CLASSES) most[jobClass] = Math.max(most[jobClass], now[jobClass]);
        return ended() === jobs.length;
      },
      PATIENCE_MS,
    );
    expect(new Set(await Promise.all(jobs.map(statusOf)))).toEqual(new Set(["completed"]));
    expect(order.mostRunning()).toBeLessThanOrEqual(jobs.length);
    for (const jobClass of CLASSES) {
      expect(most[jobClass]).toBeGreaterThan(0);
      expect(most[jobClass]).toBeLessThanOrEqual(SHARE_BYTES[jobClass]);
    }
    await nothingReserved();
    const peak = (await residentMemory(pid)).most;
    const told = { idle, peak, ...most };
    console.log(
      Object.entries(told)
        .map(([what, bytes]) => `${what} ${Math.round(bytes / MIB)} MiB`)
        .join(", "),
    );
    expect(peak - idle).toBeLessThan(PART_BUFFER_BYTES + BUDGET_BYTES);
  },
  PATIENCE_MS + 60_000,
);

test.each(CLASSES)(
  "the jobs of class %s get through while archives of the others hold all that those may",
  async (jobClass) => {
    const others = CLASSES.filter((other) => other !== jobClass);
    const held = (other: JobClass) => Math.floor(SHARE_BYTES[other] / (PARTS_AT_ONCE * PART_BYTES));
    const slow: Asked[] = [];
    // One more than there are buffers for: it waits.
    for (const other of others) {
      for (let i = 0; i <= held(other); i++) slow.push(await create(other, 100, SLOW_ID + 1_000 * slow.length));
    }
    const areFull = async () => {
      const now = await reserved();
      return others.every((other) => now[other] === held(other) * PARTS_AT_ONCE * PART_BYTES);
    };
    await until("the others to hold all that they may", areFull);
    const jobs = await Promise.all([1, 6, 30].map((files) => create(jobClass, files, FAST_ID)));
    const completed = async () => (await Promise.all(jobs.map(statusOf))).every((status) => status === "completed");
    await until("the jobs to complete", completed, 60_000);
    expect(await areFull()).toBe(true);
    expect(new Set(await Promise.all(slow.map(statusOf)))).toEqual(new Set(["processing"]));
    for (const { id, user } of slow) {
      await request(`${stack.baseUrl}/v1/downloads/${id}/cancel`, { method: "POST", headers: { "x-user-id": user } });
    }
    await nothingReserved();
  },
);
