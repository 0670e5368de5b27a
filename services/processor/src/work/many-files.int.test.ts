import { randomUUID } from "node:crypto";
import { type JobRecord, payloadContent, RECORD_MAX_BYTES, type StoredRecord } from "@longhaul/contracts";
import type { Objects } from "@longhaul/objects";
import { systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { specOf } from "../../../../libs/job/src/testing/index.ts";
import { openObjects } from "../../../../tests/support/objects.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../../tests/support/own-s3.ts";
import { scaled } from "../../../../tests/support/scale.ts";
import { until } from "../../../../tests/support/until.ts";
import { startWorkerBench, type WorkerBench } from "../../../../tests/support/worker-bench.ts";
import { PartBuffers } from "../archive/part-buffers.ts";
import { PART_MIN_BYTES } from "../archive/part-size.ts";
import { JobFailure } from "../job/job-failure.ts";
import { createResultStore } from "../result-store.ts";
import type { PlannedFile, Source } from "../source/source.ts";
import { createArchiveWork } from "./archive.ts";
import { RecordLists } from "./record-lists.ts";
import { ZeroCopy } from "./zero-copy.ts";

const FILES = scaled({ short: 3_000, full: 100_000 });
const PATIENCE_MS = scaled({ short: 60_000, full: 600_000 });
const FILE_BYTES = 2_000;
const GIB = 1024 ** 3;
const FIRST_ID = 90_000_000;
const IDS = Array.from({ length: FILES }, (_, i) => FIRST_ID + i);
const isMissing = (fileId: number) => fileId % 3 === 0;
const MODIFIED_AT = new Date("2026-01-02T03:04:06.000Z");

/** Files with names as long as a file system allows; `finds` counts how often one is looked up. */
class LongNames implements Source {
  finds = 0;

  async find(fileId: number): Promise<PlannedFile & { key: string }> {
    this.finds += 1;
    if (isMissing(fileId)) throw new JobFailure({ stage: "plan", code: "FILE_NOT_FOUND", fileId });
    const name = `${"n".repeat(240)}-${fileId}.bin`;
    const found = { fileId, name, sizeBytes: FILE_BYTES, etag: `"${fileId}"`, crc32: null, modifiedAt: MODIFIED_AT };
    return { ...found, key: `downloads/${fileId}` };
  }

  async *open({ fileId }: PlannedFile): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(FILE_BYTES, String(fileId));
  }
}

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(`a job of ${FILES} files with long names, on ${implementation},`, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let s3: OwnS3;
    let objects: Objects;
    let bench: WorkerBench;
    let largest = 0;
    const writes: StoredRecord[] = [];

    beforeAll(async () => {
      if (!server) return;
      s3 = await startS3(server);
      objects = openObjects(s3);
      bench = await startWorkerBench();
      bench.onStored(({ bytes, record }) => {
        largest = Math.max(largest, bytes.length);
        writes.push(record);
      });
    });
    afterAll(async () => {
      await bench?.remove();
      objects?.close();
      await s3?.remove();
    });

    const workOn = (source: Source) =>
      createArchiveWork({
        ...{ sourceOf: () => source, results: createResultStore(objects.results) },
        lists: new RecordLists(objects.payloads),
        ...{ clock: systemClock, random: systemRandom, fileTries: 3, retryBaseMs: 100, uploadConcurrency: 2 },
        ...{ minPartBytes: PART_MIN_BYTES, checkpointIntervalMs: 1_000, checkpointBytes: 64 * 1024 ** 2 },
        zeroCopy: new ZeroCopy({ zeroCopy: "off", zeroCopyMinBytes: GIB, locate: null, onRefused: () => {} }),
        ...{ partBuffers: new PartBuffers(GIB / 4), fileMaxBytes: GIB, jobMaxBytes: GIB },
      });

    async function create(): Promise<string> {
      const id = randomUUID();
      const ref = await objects.payloads.put({ tenant: "acme", id }, IDS);
      return await bench.create({ id, spec: { ...specOf(), fileIds: null, ref, filesTotal: FILES } });
    }

    const recordWhen = async (id: string, is: (record: JobRecord) => boolean) =>
      until("the job's next state", async () => [await bench.record(id)].find(is), PATIENCE_MS);

    test(
      "is planned and completed with records that keep their size, and names all that it says",
      async () => {
        const worker = bench.startWorker(workOn(new LongNames()));
        const record = await recordWhen(await create(), ({ status }) => status === "completed");
        await worker.stop();
        expect(largest).toBeGreaterThan(0);
        expect(largest).toBeLessThanOrEqual(RECORD_MAX_BYTES);

        const { plan, outcomes, result } = record;
        if (!plan?.ref || !outcomes || !("ref" in outcomes.exceptions) || !result?.key)
          throw new Error("it names too little");
        const entries = payloadContent.plan.parse(await objects.payloads.get(plan.ref));
        expect(entries.map((entry) => (typeof entry === "string" ? entry : entry[0].slice(-12)))).toEqual(
          IDS.map((id) => (isMissing(id) ? "FILE_NOT_FOUND" : `${id}.bin`)),
        );
        const missing = IDS.flatMap((id, index) => (isMissing(id) ? [[index, "FILE_NOT_FOUND"]] : []));
        expect(await objects.payloads.get(outcomes.exceptions.ref)).toEqual(missing);
        expect(record).toMatchObject({
          named: true,
          plan: { filesMissing: missing.length },
          result: { partial: true },
        });
        expect(await objects.results.head(result.key)).toMatchObject({ sizeBytes: result.sizeBytes });
      },
      PATIENCE_MS,
    );

    test(
      "is not looked up again by a run that finds the plan of an earlier one",
      async () => {
        const source = new LongNames();
        const slow = new LongNames();
        slow.open = async function* () {
          yield await new Promise<never>(() => {});
        };
        const first = bench.startWorker(workOn(slow));
        const id = await create();
        await recordWhen(id, ({ plan }) => plan !== null);
        await first.stop();
        const second = bench.startWorker(workOn(source));
        await recordWhen(id, ({ status }) => status === "completed");
        await second.stop();
        expect([slow.finds, source.finds]).toEqual([FILES, 0]);
        const plans = new Set(writes.flatMap((it) => (it.id === id && "plan" in it ? (it.plan?.ref?.key ?? []) : [])));
        expect(plans.size).toBe(1);
      },
      PATIENCE_MS,
    );
  });
}
