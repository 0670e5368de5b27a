import type { Objects } from "@longhaul/objects";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDownload, getJob, request } from "../support/download-client.ts";
import { openObjects } from "../support/objects.ts";
import { residentMemory } from "../support/resident-memory.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
const FILES = scaled({ short: 3_000, full: 100_000 });
const FILE_BYTES = 2_000;
const IDS = Array.from({ length: FILES }, (_, i) => 90_000_000 + i);
const PATIENCE_MS = scaled({ short: 90_000, full: 600_000 });
/**
 * What a processor takes for an archive (see memory.e2e.test.ts), and for 100,000 files what it has to know of them, some
 * 25 MiB, with the garbage of finding that out.
 */
const BUDGET_BYTES = scaled({ short: 150, full: 200 }) * MIB;

let stack: TestStack;
let objects: Objects;

beforeAll(async () => {
  const env = {
    ...{ SOURCE_KIND: "synthetic", SYNTHETIC_SIZE_BYTES: String(FILE_BYTES) },
    ...{ JOB_MAX_FILES: "100000", BODY_LIMIT_BYTES: "1200000" },
  };
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") }, env });
  objects = openObjects(stack.run().s3);
});
afterAll(async () => {
  objects?.close();
  await stack?.dispose();
});

async function remains(id: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["results/", "payload/"]) {
    for await (const { key } of objects.results.list(`${folder}default/${id}/`)) found.push(key);
  }
  return found;
}

test(
  `a job of ${FILES} files is asked for, made and deleted, and memory stays in its budget`,
  async () => {
    const pid = stack.pid("processor");
    const idle = (await residentMemory(pid)).now;
    const { status, body } = await createDownload(stack.baseUrl, IDS);
    expect([status, body.progress.filesTotal]).toEqual([202, FILES]);
    const done = await until(
      "the end of the job",
      async () => {
        const job = (await getJob(stack.baseUrl, body.id)).body;
        expect(job.status).not.toBe("failed");
        return job.status === "completed" ? job : null;
      },
      PATIENCE_MS,
    );
    expect(done.progress).toMatchObject({ filesDone: FILES, bytesDone: FILES * FILE_BYTES, percent: 100 });
    const { most } = await residentMemory(pid);
    console.log(`processor: ${Math.round(idle / MIB)} MiB idle, at most ${Math.round(most / MIB)} MiB at work`);
    expect(most - idle).toBeLessThan(BUDGET_BYTES);

    // Its result, its list of ids and its plan; nothing was missing, and its lists of parts go with the cleanup.
    const kept = async () => (await remains(body.id)).map((key) => key.split("/")[0]).join(" ");
    await until("what is kept", async () => (await kept()) === "results payload payload", 60_000);
    const url = `${stack.baseUrl}/v1/downloads/${body.id}`;
    expect((await request(url, { method: "DELETE", headers: { "x-user-id": "ann" } })).status).toBe(204);
    await until("nothing of it to be left", async () => (await remains(body.id)).length === 0, 60_000);
  },
  PATIENCE_MS + 90_000,
);
