import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { checkWith, isInstalled, listWith, ZIP_TOOLS } from "../../services/processor/src/archive/testing/zip-tools.ts";
import { createDownload, getJob, type Job, saveContent } from "../support/download-client.ts";
import { residentMemory } from "../support/resident-memory.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
/** 20 GB in the full form, for which some 45 GB of disk must be free; each entry, too, is larger than 4 GiB then. */
const IDS = [70_001, 70_002, 70_003, 70_004];
const FILE_BYTES = scaled({ short: 15_000_000, full: 5_000_000_000 });
/** Above what the processor takes when idle; as for an archive that is a thousand times smaller (memory.e2e.test.ts). */
const BUDGET_BYTES = 150_000_000;
const PATIENCE_MS = scaled({ short: 90_000, full: 1_500_000 });

let stack: TestStack;
let folder: string;
let path: string;
let idleBytes: number;
let job: Job;

beforeAll(async () => {
  const env = {
    ...{ SOURCE_KIND: "synthetic", SYNTHETIC_SIZE_BYTES: `${FILE_BYTES}` },
    // Some stores copy all parts when they join them.
    S3_CALL_TIMEOUT_MS: scaled({ short: "5000", full: "60000" }),
  };
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") }, env });
  folder = await mkdtemp(join(tmpdir(), "longhaul-large-archive-"));
  idleBytes = (await residentMemory(stack.pid("processor"))).now;
  const { id } = (await createDownload(stack.baseUrl, IDS)).body;
  job = await until(
    "the end of the job",
    async () => {
      const { body } = await getJob(stack.baseUrl, id);
      expect(body.status).not.toBe("failed");
      return body.status === "completed" && body;
    },
    PATIENCE_MS,
  );
  path = join(folder, "large.zip");
  await saveContent(stack.baseUrl, id, path);
}, 2 * PATIENCE_MS);
afterAll(async () => {
  await stack?.dispose();
  await rm(folder, { recursive: true, force: true });
});

test("an archive of any size is made at its first try, in the same memory", async () => {
  expect(job).toMatchObject({ attempt: 1, progress: { filesDone: IDS.length, bytesDone: IDS.length * FILE_BYTES } });
  const { most } = await residentMemory(stack.pid("processor"));
  const bytes = job.result?.sizeBytes ?? 0;
  console.log(
    `${bytes} bytes; processor ${Math.round(idleBytes / MIB)} MiB idle, at most ${Math.round(most / MIB)} MiB`,
  );
  expect(most - idleBytes).toBeLessThan(BUDGET_BYTES);
});

describe.each(ZIP_TOOLS)("$name", (tool) => {
  test("opens it, and every entry equals its source", { timeout: PATIENCE_MS }, async ({ skip }) => {
    skip(!(await isInstalled(tool)), `${tool.command} is not installed`);
    if (tool.list === undefined) return checkWith(tool, path, PATIENCE_MS);
    const found = await listWith(tool, [path], PATIENCE_MS);
    expect(found.get(path)).toEqual(IDS.map((id) => `${id}.zip\t${FILE_BYTES}\t${sha256Of(id)}`));
  });
});

const known = new Map<number, string>();
/** Of a source; made once, because the bytes of all of them take a while. */
function sha256Of(id: number): string {
  const sha256 = known.get(id) ?? seededSha256(id, FILE_BYTES);
  known.set(id, sha256);
  return sha256;
}
