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
const [DENIED, SHRUNK, MISSING, LARGE] = [70_666, 70_013, 70_404, 70_500];
/** Are there, and are not given. */
const [FORBIDDEN, NO_FILE] = [70_403, 70_422];
/** Each is refused when it is read once more after the one behind it was. */
const WAVERING = [71_001, 71_002, 71_003, 71_004];
const LARGE_PAGE = Buffer.alloc(6_000_000, PAGE);

let bench: WorkerBench;
let objects: Objects;
let sources: Sources;
let origin: Origin;
let worker: RunningWorker;

const deniedFiles: FileAuthorisation = async (_, fileIds) => fileIds.filter((id) => id === DENIED);

/** The status of an answer to a `GET`, when the file is asked for the `nth` time. */
function statusOf(fileId: number, nth: number): number {
  if (fileId === FORBIDDEN) return 403;
  if (fileId === NO_FILE) return 422;
  const place = WAVERING.indexOf(fileId);
  return place >= 0 && nth > 2 * (WAVERING.length - 1 - place) ? 401 : 200;
}

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    const fileId = Number(/\d+/.exec(request.url ?? ""));
    if (fileId === MISSING) return void response.writeHead(404).end();
    const gets = origin.requests.filter(({ method, url }) => method === "GET" && url === request.url).length;
    const status = request.method === "GET" ? statusOf(fileId, gets) : 200;
    if (status !== 200) return void response.writeHead(status).end();
    const isShort = fileId === SHRUNK && request.method === "GET";
    const whole = fileId === LARGE ? LARGE_PAGE : PAGE;
    const page = isShort ? PAGE.subarray(1) : whole;
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
  ["refused when it is read", "http", FORBIDDEN, "PERMISSION_DENIED"],
] as const)("the only file is %s (%s): the job says so", async (_, sourceKind, fileId, code) => {
  const record = await run({ sourceKind, fileIds: [fileId] });
  expect(record).toMatchObject({ status: "failed", result: null, error: { code, fileId } });
});

test.each([[[SHRUNK]], [[70_000, SHRUNK]]])(
  "a file that is shorter than its server told is never part of a result: %j",
  async (fileIds) => {
    const record = await run({ sourceKind: "http", fileIds });
    const error = { code: "SOURCE_CHANGED", stage: "read-source", fileId: SHRUNK };
    expect(record).toMatchObject({ result: null, error });
    // What a failed try has used counts as well.
    expect(record.usage.bytesRead).toBeGreaterThan(0);
  },
);

test.each([
  ["put at once", [70_000], 1],
  ["made in parts, of which one has been sent", [LARGE], 1],
  ["put at once, with others", [70_000, 70_001, 70_002], 1],
])("what is refused only when it is read is missing from an archive that is %s", async (_, there, first) => {
  const fileIds = [...there.slice(0, first), MISSING, FORBIDDEN, ...there.slice(first), NO_FILE];
  const record = await run({ sourceKind: "http", fileIds });
  const exceptions = [
    [first, "FILE_NOT_FOUND"],
    [first + 1, "PERMISSION_DENIED"],
    [fileIds.length - 1, "INVALID_FILE_ID"],
  ];
  expect(record).toMatchObject({
    ...{ status: "completed", failures: 0, error: null },
    result: { contentType: "application/zip", partial: true },
    plan: { filesMissing: 3 },
    outcomes: { doneThrough: fileIds.length, exceptions },
    progress: { filesDone: there.length, filesFailed: 3 },
  });
  expect(record.plan?.entries?.flatMap((entry, i) => (typeof entry === "string" ? [[i, entry]] : []))).toEqual(
    exceptions,
  );
  const content = await contentOf(record);
  expect(record.result).toMatchObject({ sizeBytes: content.length, crc32: crc32Hex(crc32(content)) });
  const manifest = JSON.parse(/\{\n"complete"[\s\S]*?\n\}\n/.exec(content.toString("latin1"))?.[0] ?? "");
  expect(manifest.files.map(({ fileId }: { fileId: number }) => fileId)).toEqual(there);
  expect(manifest.missing).toMatchObject([{ fileId: MISSING }, { fileId: FORBIDDEN }, { fileId: NO_FILE }]);
});

test("a job of which every file is refused when it is read has nothing to give", async () => {
  const record = await run({ sourceKind: "http", fileIds: [FORBIDDEN, NO_FILE] });
  expect(record).toMatchObject({
    ...{ status: "failed", result: null, error: { code: "ALL_FILES_FAILED" } },
    outcomes: {
      exceptions: [
        [0, "PERMISSION_DENIED"],
        [1, "INVALID_FILE_ID"],
      ],
    },
  });
});

test("an archive is not begun anew for ever", async () => {
  const record = await run({ sourceKind: "http", fileIds: WAVERING });
  expect(record).toMatchObject({
    ...{ status: "failed", error: { code: "PERMISSION_DENIED", fileId: WAVERING[1] } },
    plan: { entries: [expect.anything(), expect.any(Array), "PERMISSION_DENIED", "PERMISSION_DENIED"] },
  });
});

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
    usage: { bytesRead: 0, bytesWritten: 0, s3Calls: 2 },
  });
});
