import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDownload, getJob } from "../support/download-client.ts";
import { residentMemory } from "../support/resident-memory.ts";
import { scaled } from "../support/scale.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const MIB = 1024 ** 2;
const FILE_BYTES = 50_000_000;
const FILES = scaled({ short: 8, full: 40 });
/**
 * What a processor may take while it makes one archive, above what it takes when idle: three part buffers of 5 MiB
 * (UPLOAD_CONCURRENCY and the one that is being filled), what S3's sockets hold in both directions, and the garbage that
 * V8 lets stand between two collections.
 */
const BUDGET_BYTES = 150 * MIB;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") } });
  await stack.seed(70_000, FILES, FILE_BYTES);
});
afterAll(() => stack?.dispose());

test("the processor's memory stays in its budget, however large the archive", async (context) => {
  context.skip(process.platform !== "linux", "the resident size is read from /proc");
  const pid = stack.pid("processor");
  const idle = (await residentMemory(pid)).now;
  const { body } = await createDownload(
    stack.baseUrl,
    Array.from({ length: FILES }, (_, i) => 70_000 + i),
  );
  await until(
    "the end of the job",
    async () => {
      const { status } = (await getJob(stack.baseUrl, body.id)).body;
      expect(status).not.toBe("failed");
      return status === "completed";
    },
    scaled({ short: 90_000, full: 600_000 }),
  );
  const { most } = await residentMemory(pid);
  console.log(`processor: ${Math.round(idle / MIB)} MiB idle, at most ${Math.round(most / MIB)} MiB at work`);
  expect(most - idle).toBeLessThan(BUDGET_BYTES);
});
