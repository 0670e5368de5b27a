import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { checkWith, isInstalled, listWith, ZIP_TOOLS } from "../../services/processor/src/archive/testing/zip-tools.ts";
import { createDownload, follow, getJob, type Job, request, saveContent } from "../support/download-client.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const FIRST_ID = 70_000;
const MISSING_ID = 70_007;
/** Sizes of twenty files, from nothing to 50 MB; the one that is missing has none. */
const SIZES = [
  0,
  1,
  100,
  4_096,
  65_535,
  65_536,
  1_000_000,
  null,
  5 * MIB - 1,
  5 * MIB,
  5 * MIB + 1,
  7_654_321,
  50_000_000,
].concat([12, 0, 333, 2 * MIB, 999, 1, 10 * MIB]);
const TOOL_TIMEOUT_MS = 60_000;

let stack: TestStack;
let folder: string;
let job: Job;
let path: string;

beforeAll(async () => {
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") } });
  folder = await mkdtemp(join(tmpdir(), "longhaul-archive-e2e-"));
  for (const [i, size] of SIZES.entries()) if (size !== null) await stack.seed(FIRST_ID + i, 1, size);
  const created = await createDownload(
    stack.baseUrl,
    SIZES.map((_, i) => FIRST_ID + i),
  );
  expect(created.status).toBe(202);
  const { frames } = await follow(stack.baseUrl, created.body.id, "ann", 90_000);
  job = frames.at(-1)?.job ?? created.body;
  path = join(folder, `${job.id}.zip`);
  await saveContent(stack.baseUrl, job.id, path);
});
afterAll(async () => {
  await stack?.dispose();
  await rm(folder, { recursive: true, force: true });
});

test("twenty files of mixed sizes, one of them missing, end completed and partial", () => {
  expect(job).toMatchObject({
    status: "completed",
    progress: { filesTotal: 20, filesDone: 19, filesFailed: 1, percent: 100 },
    result: { partial: true },
  });
  const bytes = SIZES.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  expect(job.progress.bytesDone).toBe(bytes);
});

for (const tool of ZIP_TOOLS) {
  const installed = await isInstalled(tool);
  describe(tool.name, () => {
    test("opens it, and every entry equals its source", async (context) => {
      context.skip(!installed, `${tool.command} is not installed`);
      if (!tool.list) return checkWith(tool, path, TOOL_TIMEOUT_MS);
      const entries = (await listWith(tool, [path], TOOL_TIMEOUT_MS)).get(path) ?? [];
      const expected = SIZES.flatMap((size, i) =>
        size === null ? [] : `${FIRST_ID + i}.zip\t${size}\t${seededSha256(FIRST_ID + i, size)}`,
      );
      expect(entries.slice(0, -1)).toEqual(expected);
      expect(entries.at(-1)).toMatch(/^_manifest\.json\t/);
    });
  });
}

test("a cancel stops a running job, which then is cancelled for good", async () => {
  await stack.seed(80_000, 4, 50_000_000);
  const created = await createDownload(stack.baseUrl, [80_000, 80_001, 80_002, 80_003]);
  const { id } = created.body;
  await until("the job to run", async () => (await getJob(stack.baseUrl, id)).body.status === "processing");
  const cancel = () =>
    request<Job>(`${stack.baseUrl}/v1/downloads/${id}/cancel`, { method: "POST", headers: { "x-user-id": "ann" } });
  const first = await cancel();
  expect(first).toMatchObject({ status: 200, body: { status: "cancelled" } });
  expect(await cancel()).toMatchObject({ status: 200, body: { status: "cancelled", version: first.body.version } });
  const metrics = stack.run().processes.find((p) => p.name === "processor")?.ports.metrics;
  await until("the slot to be free", async () => {
    const { body } = await request<string>(`http://127.0.0.1:${metrics}/metrics`);
    return /download_worker_utilization\S* 0$/m.test(body);
  });
  expect((await getJob(stack.baseUrl, id)).body).toEqual(first.body);
});

test("a job whose files are all missing fails", async () => {
  const { body } = await createDownload(stack.baseUrl, [MISSING_ID, 99_999]);
  const { frames } = await follow(stack.baseUrl, body.id);
  const failed = { status: "failed", error: { code: "ALL_FILES_FAILED" }, progress: { filesDone: 0, filesFailed: 2 } };
  expect(frames.at(-1)?.job).toMatchObject(failed);
});
