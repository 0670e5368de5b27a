import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import type { JobRecord, JobSpec } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import { createObjects, type Objects } from "@longhaul/objects";
import { createLogger, loadConfig, seededChunks, systemClock } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { specOf } from "../../../../libs/job/src/testing/index.ts";
import { until } from "../../../../tests/support/until.ts";
import { type RunningWorker, startWorkerBench, type WorkerBench } from "../../../../tests/support/worker-bench.ts";
import { crc32Hex } from "../archive/crc32.ts";
import { PartBuffers } from "../archive/part-buffers.ts";
import { processorConfig } from "../config.ts";
import { createSources, type Sources } from "../source/sources.ts";
import { type Origin, startOrigin } from "../source/testing/origin.ts";
import { createProcessorWork } from "./processor-work.ts";

const PATIENCE_MS = 60_000;
/** Three parts, the last a short one. */
const SIZE = 11_000_000;
const PAGE = Buffer.from("<h1>what a web server has</h1>");
const [DENIED, SHRUNK, MISSING] = [70_666, 70_013, 70_404];

let bench: WorkerBench;
let objects: Objects;
let sources: Sources;
let origin: Origin;
let worker: RunningWorker;

const deniedFiles: FileAuthorisation = async (_, fileIds) => fileIds.filter((id) => id === DENIED);

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    const fileId = Number(/\d+/.exec(request.url ?? ""));
    if (fileId === MISSING) return void response.writeHead(404).end();
    const isShort = fileId === SHRUNK && request.method === "GET";
    const page = isShort ? PAGE.subarray(1) : PAGE;
    // Without a length: what is told and what comes differ only when the last byte is there.
    const length = request.method === "HEAD" ? { "content-length": page.length } : {};
    return void response.writeHead(200, { etag: '"v1"', ...length }).end(page);
  });
  const s3 = inject("s3");
  const config = loadConfig(processorConfig, {
    NATS_URL: "unused",
    MONGODB_URL: inject("mongodbUrl"),
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    SYNTHETIC_SIZE_BYTES: `${SIZE}`,
    HTTP_SOURCE_TEMPLATE: `${origin.url}/{file_id}.html`,
    HTTP_SOURCE_ALLOW_HTTP: "true",
    HTTP_SOURCE_ALLOW_PRIVATE: "true",
    RETRY_BASE_MS: "1",
  });
  objects = createObjects(config);
  sources = createSources({ config, buckets: objects, deniedFiles, clock: systemClock });
  bench = await startWorkerBench();
  const partBuffers = new PartBuffers(config.partBufferBytes);
  const log = createLogger("test", "silent");
  worker = bench.startWorker(createProcessorWork({ config, objects, sources, partBuffers, log }));
});

afterAll(async () => {
  await worker?.stop();
  await bench?.remove();
  sources?.close();
  objects?.close();
  await origin?.close();
});

/** Creates a job and waits until it has ended, or is to be tried again. */
async function run(spec: Partial<JobSpec>): Promise<JobRecord> {
  const fileIds = spec.fileIds ?? [70_000];
  const id = await bench.create({
    id: randomUUID(),
    spec: { ...specOf(), filesTotal: fileIds.length, fileIds, ...spec },
  });
  const isOver = ({ status, failures }: JobRecord) => ["completed", "failed"].includes(status) || failures > 0;
  return await until("the end of the job", async () => [await bench.record(id)].find(isOver), PATIENCE_MS);
}

async function contentOf({ result }: JobRecord): Promise<Buffer> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return await buffer(objects.results.open(result?.key ?? "", { offset: 0, etag: null, signal }));
}

test("one made-up file is a result of its own, as it is, made in parts", async () => {
  const bytes = Buffer.concat([...seededChunks(70_000, SIZE)]);
  const record = await run({ sourceKind: "synthetic" });
  expect(record).toMatchObject({
    status: "completed",
    result: {
      kind: "owned",
      filename: "file-70000.zip",
      contentType: "application/zip",
      sizeBytes: SIZE,
      crc32: crc32Hex(crc32(bytes)),
      partial: false,
    },
    progress: { filesDone: 1, bytesDone: SIZE, phase: "done" },
    usage: { bytesRead: SIZE, bytesWritten: SIZE },
  });
  expect((await contentOf(record)).equals(bytes)).toBe(true);
});

test("one file of a web server keeps its extension, and is nothing that a browser would open", async () => {
  const record = await run({ sourceKind: "http", name: null });
  expect(record.result).toMatchObject({
    kind: "owned",
    filename: "file-70000.html",
    contentType: "application/octet-stream",
    crc32: crc32Hex(crc32(PAGE)),
  });
  expect(await contentOf(record)).toEqual(PAGE);
});

test("several are an archive, also with one that is missing and one that is denied", async () => {
  const record = await run({ sourceKind: "http", fileIds: [70_000, MISSING, DENIED, 70_001] });
  expect(record).toMatchObject({
    status: "completed",
    result: { contentType: "application/zip", partial: true },
    outcomes: {
      exceptions: [
        [1, "FILE_NOT_FOUND"],
        [2, "PERMISSION_DENIED"],
      ],
    },
  });
  const asked = origin.requests.map(({ url }) => url);
  expect(asked).toContain(`/${MISSING}.html`);
  expect(asked).not.toContain(`/${DENIED}.html`);
});

test.each([
  ["missing", "http", MISSING, "FILE_NOT_FOUND"],
  ["denied", "http", DENIED, "PERMISSION_DENIED"],
  ["denied", "s3", DENIED, "PERMISSION_DENIED"],
] as const)("the only file is %s (%s): the job says so", async (_, sourceKind, fileId, code) => {
  const record = await run({ sourceKind, fileIds: [fileId] });
  expect(record).toMatchObject({ status: "failed", result: null, error: { code, fileId } });
});

test.each([[[SHRUNK]], [[70_000, SHRUNK]]])(
  "a file that is shorter than its server told is never part of a result: %j",
  async (fileIds) => {
    const record = await run({ sourceKind: "http", fileIds });
    expect(record).toMatchObject({
      result: null,
      error: { code: "SOURCE_CHANGED", stage: "read-source", fileId: SHRUNK },
    });
  },
);

test("a job without a source is done at once, and has nothing to fetch", async () => {
  const record = await run({ sourceKind: "none", fileIds: [70_000, 70_001] });
  expect(record).toMatchObject({
    status: "completed",
    result: { kind: "none", key: null, sizeBytes: 0 },
    outcomes: { doneThrough: 2, exceptions: [] },
    progress: { filesDone: 2, bytesDone: 0 },
    usage: { bytesRead: 0, bytesWritten: 0, s3Calls: 0 },
    named: false,
  });
});

test("who wants the files as they lie in their store is told what is there", async () => {
  const [first, second] = [90_000_000 + Math.floor(Math.random() * 1_000_000), 70_404];
  const [key, contentType] = [`downloads/${first}.zip`, "application/zip"];
  await objects.source.put(key, PAGE, { sizeBytes: PAGE.length, contentType });
  const record = await run({ sourceKind: "s3", archive: "none", fileIds: [first, second] });
  expect(record).toMatchObject({
    status: "completed",
    result: { kind: "none", key: null, sizeBytes: PAGE.length, partial: true },
    plan: { entries: [expect.arrayContaining([`${first}.zip`, PAGE.length]), "FILE_NOT_FOUND"] },
    outcomes: { doneThrough: 2, exceptions: [[1, "FILE_NOT_FOUND"]] },
    usage: { bytesWritten: 0 },
  });
});
