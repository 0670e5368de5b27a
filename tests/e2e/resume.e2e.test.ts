import { type Bus, connectBus, createJobStore, type JobStore } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type StoreProxy, startStoreProxy } from "../chaos/store-proxy.ts";
import { createDownload, getJob, request } from "../support/download-client.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
const FILES = [70_001, 70_002, 70_003, 70_004];
const FILE_BYTES = scaled({ short: 24 * MIB, full: 512 * MIB });
const ARCHIVE_BYTES = FILES.length * FILE_BYTES;
const RATE = scaled({ short: 24 * MIB, full: 100 * MIB });
const CHECKPOINT_BYTES = scaled({ short: 6 * MIB, full: 64 * MIB });
const PART_BYTES = 5 * MIB;
const UPLOAD_CONCURRENCY = 2;
/** Since the last checkpoint, on its way, being filled, and held back for the CRC of a file. */
const AGAIN_AFTER_CRASH_BYTES = CHECKPOINT_BYTES + (UPLOAD_CONCURRENCY + 3) * PART_BYTES;
/** What is on its way is finished before a hand-back. */
const AGAIN_AFTER_RESTART_BYTES = 3 * PART_BYTES;
/** How late each copy is, so that there is a middle to stop in. */
const COPY_DELAY_MS = 200;
const PATIENCE_MS = scaled({ short: 90_000, full: 600_000 });

let stack: TestStack;
let store: StoreProxy;
let bus: Bus;
let jobs: JobStore;
/** Of the archive that nothing befell. */
let crc32: string;

async function start(env: Record<string, string>): Promise<void> {
  store = await startStoreProxy(inject("s3").endpoint, { slowMs: COPY_DELAY_MS });
  const servers = { mongodbUrl: inject("mongodbUrl"), s3: { ...inject("s3"), endpoint: store.url } };
  const checkpoints = { CHECKPOINT_BYTES: `${CHECKPOINT_BYTES}`, CHECKPOINT_INTERVAL_MS: "600000" };
  stack = await startTestStack({
    servers,
    env: { ...env, ...checkpoints, UPLOAD_CONCURRENCY: `${UPLOAD_CONCURRENCY}` },
  });
  const log = createLogger("test", "silent");
  bus = await connectBus({ servers: [stack.run().nats.url], name: "test", log });
  jobs = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 10_000 });
}

async function stop(): Promise<void> {
  await bus?.close();
  await stack?.dispose();
  await store?.close();
}

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
      expect(record.error).toBeNull();
      return record.status === "completed" && record;
    },
    PATIENCE_MS,
  );
}

/** Bytes of the files that the record says are safe. */
function safeBytes({ checkpoint }: JobRecord): number {
  const { entry, offset } = checkpoint?.cursor ?? { entry: 0, offset: 0 };
  return entry * FILE_BYTES + offset;
}

/** The job when half of it is safe, and half is left to do. */
const halfWay = (id: string) =>
  until(
    "a checkpoint in the middle",
    async () => {
      const record = await recordOf(id);
      return safeBytes(record) >= ARCHIVE_BYTES / 2 && record;
    },
    PATIENCE_MS,
  );

/** The same archive, under the same key; and what the record had as done was not made again. */
async function expectWentOn(
  id: string,
  before: JobRecord,
  moved: (record: JobRecord) => number,
  againMaxBytes = AGAIN_AFTER_CRASH_BYTES,
): Promise<void> {
  const after = await completed(id);
  expect(after.result).toMatchObject({ crc32, key: before.checkpoint?.upload.key });
  const again = moved(after) - moved(before);
  const left = ARCHIVE_BYTES - safeBytes(before);
  console.log(`${Math.round(safeBytes(before) / MIB)} MiB were safe; moved after that: ${Math.round(again / MIB)} MiB`);
  // Less than a beginning anew would be.
  expect(left + againMaxBytes).toBeLessThan(ARCHIVE_BYTES);
  expect(again).toBeLessThanOrEqual(left + againMaxBytes);
}

const STRATEGIES = [
  {
    how: "is read",
    env: {
      SOURCE_KIND: "synthetic",
      SYNTHETIC_SIZE_BYTES: `${FILE_BYTES}`,
      SYNTHETIC_RATE_BYTES_PER_SECOND: `${RATE}`,
    },
    moved: ({ usage }: JobRecord) => usage.bytesRead,
  },
  {
    how: "the store copies",
    env: { SOURCE_KIND: "s3", ZERO_COPY_MIN_BYTES: `${6 * MIB}` },
    // What is read is too little to matter. Each file is probed anew by each run that copies of it.
    moved: ({ usage }: JobRecord) => (usage.copies - FILES.length) * PART_BYTES,
  },
];

describe.each(STRATEGIES)("an archive that $how", ({ how, env, moved }) => {
  beforeAll(async () => {
    await start(env);
    if (env.SOURCE_KIND === "s3") {
      await stack.seed(FILES[0] ?? 0, FILES.length, FILE_BYTES);
      store.spoil("part", "slow");
    }
    const undisturbed = await completed(await create());
    crc32 = undisturbed.result?.crc32 ?? "";
    const { copies, bytesRead } = undisturbed.usage;
    if (how === "is read") expect([copies, bytesRead]).toEqual([0, ARCHIVE_BYTES]);
    else expect(copies * PART_BYTES).toBeGreaterThan(ARCHIVE_BYTES / 2);
  }, PATIENCE_MS + 60_000);
  afterAll(stop);

  test(
    "goes on at its last checkpoint after a SIGKILL in its middle",
    async () => {
      const id = await create();
      await halfWay(id);
      await stack.signal("processor", "SIGKILL");
      await expectWentOn(id, await recordOf(id), moved);
      expect((await recordOf(id)).timeline.map(({ event }) => event)).toContain("takeover");
    },
    PATIENCE_MS,
  );

  test(
    "repeats no finished part when the processor is restarted",
    async () => {
      const id = await create();
      await halfWay(id);
      await stack.signal("processor", "SIGTERM");
      await expectWentOn(id, await recordOf(id), moved, AGAIN_AFTER_RESTART_BYTES);
      const { timeline, crashes, failures } = await recordOf(id);
      expect(timeline.map(({ event }) => event)).toContain("handedback");
      expect([crashes, failures]).toEqual([0, 0]);
    },
    PATIENCE_MS,
  );

  test(
    "goes on when it was paused and is resumed",
    async () => {
      const id = await create();
      await halfWay(id);
      const command = (name: string) =>
        request(`${stack.baseUrl}/v1/downloads/${id}/${name}`, { method: "POST", headers: { "x-user-id": "ann" } });
      expect((await command("pause")).status).toBe(200);
      const before = await recordOf(id);
      expect(before.status).toBe("paused");
      expect((await command("resume")).status).toBe(200);
      await expectWentOn(id, before, moved);
      expect((await getJob(stack.baseUrl, id)).body).toMatchObject({ status: "completed", generation: 2 });
    },
    PATIENCE_MS,
  );
});
