import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import type { JobRecord } from "@longhaul/contracts";
import { createObjects, type Objects } from "@longhaul/objects";
import { createLogger, loadConfig, systemClock } from "@longhaul/runtime";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { s3Variables } from "../../../../deploy/local/src/stack/environment.ts";
import { specOf } from "../../../../libs/job/src/testing/index.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../../tests/support/own-s3.ts";
import { until } from "../../../../tests/support/until.ts";
import { startWorkerBench, type WorkerBench } from "../../../../tests/support/worker-bench.ts";
import { crc32Hex } from "../archive/crc32.ts";
import { PartBuffers } from "../archive/part-buffers.ts";
import { piecesOf } from "../archive/testing/sources.ts";
import { type ProcessorConfig, processorConfig } from "../config.ts";
import { createSources, type Sources } from "../source/sources.ts";
import { createProcessorWork } from "./processor-work.ts";

const MIB = 1024 ** 2;
const PATIENCE_MS = 60_000;
/** Only the first and the last are large; of the last the store knows the CRC. */
const SIZES = [17 * MIB + 5, 100_000, 22 * MIB];
const BYTES = SIZES.reduce((sum, size) => sum + size, 0);
const PART_BYTES = 5 * MIB;
const PROBE_BYTES = 65_536;
const FIRST_ID = 90_000_000;
const FILE_IDS = SIZES.map((_, i) => FIRST_ID + i);

const bytesOf = (seed: number, sizeBytes: number) => Buffer.concat([...piecesOf({ name: "", seed, sizeBytes })]);

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(implementation, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let s3: OwnS3;
    let config: ProcessorConfig;
    let objects: Objects;
    let sources: Sources;
    let bench: WorkerBench;
    let streamed: JobRecord;

    beforeAll(async () => {
      if (!server) return;
      s3 = await startS3(server);
      config = loadConfig(processorConfig, {
        ...s3Variables(s3),
        ...{ NATS_URL: "unused", MONGODB_URL: "mongodb://unused", RETRY_BASE_MS: "1" },
        ZERO_COPY_MIN_BYTES: `${6 * MIB}`,
      });
      objects = createObjects(config);
      const deniedFiles = async () => [];
      sources = createSources({ config, buckets: objects, deniedFiles, clock: systemClock });
      for (const [seed, size] of SIZES.entries()) await put(FIRST_ID + seed, bytesOf(seed, size), seed === 2);
      bench = await startWorkerBench();
      streamed = await run({ zeroCopy: "off" });
    }, PATIENCE_MS);
    afterAll(async () => {
      await bench?.remove();
      sources?.close();
      objects?.close();
      await s3?.remove();
    });

    async function put(fileId: number, bytes: Buffer, tellsCrc: boolean): Promise<void> {
      const told = tellsCrc ? { crc32: crc32Hex(crc32(bytes)) } : {};
      const options = { sizeBytes: bytes.length, contentType: "application/zip", ...told };
      await objects.source.put(`downloads/${fileId}.zip`, bytes, options);
    }

    /** One job, by a process of its own, until it has ended or is to be tried again. */
    async function run(options: { zeroCopy?: "off"; from?: Partial<Sources>; fileIds?: number[] }): Promise<JobRecord> {
      const { zeroCopy = "auto", from, fileIds = FILE_IDS } = options;
      const log = createLogger("test", "silent");
      const work = createProcessorWork({
        config: { ...config, zeroCopy },
        objects,
        sources: { ...sources, ...from },
        partBuffers: new PartBuffers(config.partBufferBytes),
        log,
      });
      const worker = bench.startWorker(work);
      const spec = { ...specOf(), filesTotal: fileIds.length, fileIds };
      const id = await bench.create({ id: randomUUID(), spec });
      const isOver = ({ status, failures }: JobRecord) => ["completed", "failed"].includes(status) || failures > 0;
      const record = await until("the end of the job", async () => [await bench.record(id)].find(isOver), PATIENCE_MS);
      await worker.stop();
      return record;
    }

    async function contentOf({ result }: JobRecord): Promise<Buffer> {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      return await buffer(objects.results.open(result?.key ?? "", { offset: 0, etag: null, signal }));
    }

    test("what the store copies gives the bytes that are also made by reading", async () => {
      expect(streamed).toMatchObject({ status: "completed", usage: { bytesRead: BYTES, copies: 0 } });
      const copied = await run({});
      expect(copied).toMatchObject({ status: "completed", error: null });
      expect((await contentOf(copied)).equals(await contentOf(streamed))).toBe(true);
      const { key, filename, expiresAt } = copied.result ?? {};
      expect(copied.result).toEqual({ ...streamed.result, key, filename, expiresAt });
      expect(copied.progress).toMatchObject({ bytesDone: BYTES, bytesTotal: BYTES });
      // All whole parts of a large file, and a probe of each. versitygw says the CRC of the whole last file of its parts.
      const [probes, parts] = implementation === "versitygw" ? [2, 2] : [2, 2 + 3];
      const { copies, bytesRead, bytesWritten } = copied.usage;
      expect(copies).toBe(probes + parts);
      expect(bytesWritten).toBe((streamed.result?.sizeBytes ?? 0) - parts * PART_BYTES);
      // Of what was asked for some is on its way when enough has come.
      expect(bytesRead).toBeLessThan(BYTES - parts * PART_BYTES + probes * PROBE_BYTES + 4 * MIB);
    });

    test("a store that refuses to copy is read, and not asked again", async () => {
      const locate = (file: { fileId: number }) => ({ bucket: "no-such-bucket", key: `downloads/${file.fileId}.zip` });
      const record = await run({ from: { locate } });
      // What a probe of the first file takes: a read and a copy.
      const s3Calls = streamed.usage.s3Calls + 2;
      expect(record).toMatchObject({ status: "completed", usage: { copies: 0, s3Calls }, failures: 0 });
      expect(record.result).toMatchObject({ crc32: streamed.result?.crc32 });
    });

    test("a file that is another when a part of it is copied fails the try", async () => {
      // Its second copy, after the probe, meets another object than the plan has.
      let copies = 0;
      const locate = () => ({ bucket: s3.bucket, key: `downloads/${++copies === 1 ? FIRST_ID : FIRST_ID + 2}.zip` });
      const record = await run({ from: { locate }, fileIds: [FIRST_ID, FIRST_ID + 1] });
      expect(record).toMatchObject({
        result: null,
        error: { code: "SOURCE_CHANGED", stage: "read-source", fileId: FIRST_ID },
      });
      expect(copies).toBeGreaterThanOrEqual(2);
    });
  });
}
