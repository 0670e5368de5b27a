import { type Bus, connectBus, createJobStore, type JobStore } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDownload, getJob, request } from "../support/download-client.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
const FILES = [70_001, 70_002, 70_003, 70_004];
const FILE_BYTES = scaled({ short: 12 * MIB, full: 512 * MIB });
const RATE = scaled({ short: 12 * MIB, full: 100 * MIB });
const CHECKPOINT_BYTES = scaled({ short: 6 * MIB, full: 64 * MIB });
const PART_BYTES = 5 * MIB;
const PATIENCE_MS = scaled({ short: 90_000, full: 600_000 });

let stack: TestStack;
let bus: Bus;
let jobs: JobStore;
/** Of the archive that nothing befell. */
let crc32: string;

beforeAll(async () => {
  const env = {
    SOURCE_KIND: "synthetic",
    SYNTHETIC_SIZE_BYTES: `${FILE_BYTES}`,
    SYNTHETIC_RATE_BYTES_PER_SECOND: `${RATE}`,
    CHECKPOINT_BYTES: `${CHECKPOINT_BYTES}`,
    CHECKPOINT_INTERVAL_MS: "600000",
  };
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") }, env });
  const log = createLogger("test", "silent");
  bus = await connectBus({ servers: [stack.run().nats.url], name: "test", log });
  jobs = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 10_000 });
  crc32 = (await completed(await create())).result?.crc32 ?? "";
}, PATIENCE_MS + 60_000);
afterAll(async () => {
  await bus?.close();
  await stack?.dispose();
});

const create = async () => (await createDownload(stack.baseUrl, FILES)).body.id;

async function recordOf(id: string): Promise<JobRecord> {
  const record = (await jobs.newest(id))?.record;
  if (record === undefined || record.status === "erased") throw new Error(`job ${id} is gone`);
  return record;
}

function completed(id: string): Promise<JobRecord> {
  return until(
    `the end of ${id}`,
    async () => {
      const record = await recordOf(id);
      expect(record.status).not.toBe("failed");
      return record.status === "completed" && record;
    },
    PATIENCE_MS,
  );
}

/** Bytes of the archive that the record says are safe. */
function safeBytes({ checkpoint }: JobRecord): number {
  const parts = checkpoint?.parts ?? [];
  return "ref" in parts ? Number.NaN : parts.length * PART_BYTES;
}

/** The job when a checkpoint names some parts, and there is much left to do. */
const halfWay = (id: string) =>
  until(
    "a checkpoint in the middle",
    async () => {
      const record = await recordOf(id);
      return safeBytes(record) >= 2 * CHECKPOINT_BYTES && record;
    },
    PATIENCE_MS,
  );

/** The same archive, under the same key; and no source byte was read again that the record had as done. */
async function expectWentOn(id: string, before: JobRecord): Promise<void> {
  const after = await completed(id);
  expect(after.result).toMatchObject({ crc32, key: before.checkpoint?.upload.key });
  const read = after.usage.bytesRead - before.usage.bytesRead;
  const left = FILES.length * FILE_BYTES - safeBytes(before);
  console.log(`${Math.round(safeBytes(before) / MIB)} MiB were safe; read after that: ${Math.round(read / MIB)} MiB`);
  // Nothing that a checkpoint named is made again; what the record does not yet know of may be.
  expect(read).toBeLessThanOrEqual(left + CHECKPOINT_BYTES + 3 * PART_BYTES);
}

test("after a SIGKILL in its middle an archive goes on at its last checkpoint", async () => {
  const id = await create();
  await halfWay(id);
  await stack.signal("processor", "SIGKILL");
  const before = await recordOf(id);
  await expectWentOn(id, before);
  expect((await recordOf(id)).timeline.map(({ event }) => event)).toContain("takeover");
}, 120_000);

test("a restart of the processor repeats no finished part", async () => {
  const id = await create();
  await halfWay(id);
  await stack.signal("processor", "SIGTERM");
  await expectWentOn(id, await recordOf(id));
  const { timeline, crashes, failures } = await recordOf(id);
  expect(timeline.map(({ event }) => event)).toContain("handedback");
  expect([crashes, failures]).toEqual([0, 0]);
}, 120_000);

test("a paused archive goes on when it is resumed", async () => {
  const id = await create();
  await halfWay(id);
  const command = (name: string) =>
    request(`${stack.baseUrl}/v1/downloads/${id}/${name}`, { method: "POST", headers: { "x-user-id": "ann" } });
  expect((await command("pause")).status).toBe(200);
  const before = await recordOf(id);
  expect(before.status).toBe("paused");
  expect((await command("resume")).status).toBe(200);
  await expectWentOn(id, before);
  expect((await getJob(stack.baseUrl, id)).body).toMatchObject({ status: "completed", generation: 2 });
}, 120_000);
