import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { createDownload, getJob, request } from "../support/download-client.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const [FAST, SLOW] = [10_000, 90_000];
const SIZE = 1_048_576;
const PATIENCE_MS = 60_000;
const ANN = { headers: { "x-user-id": "ann" } };

let stack: TestStack;

/** The variables of the example in the documentation, so that it stays true. */
async function exampleOfTheDocs(): Promise<Record<string, string>> {
  const text = await readFile(new URL("../../docs/sources.md", import.meta.url), "utf8");
  const [, variables = ""] = /^(.*=.*) npm start$/m.exec(text) ?? [];
  return Object.fromEntries(variables.split(" ").map((variable) => variable.split("=")));
}

beforeAll(async () => {
  const env = await exampleOfTheDocs();
  expect(env).toMatchObject({ SOURCE_KIND: "synthetic", SYNTHETIC_RULES: expect.any(String) });
  stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") }, env });
});
afterAll(() => stack?.dispose());

const completed = (id: string) =>
  until(
    `the end of ${id}`,
    async () => [(await getJob(stack.baseUrl, id)).body].find(({ status }) => status === "completed"),
    PATIENCE_MS,
  );

test("a made-up file takes the time that its rule says, and is fetched as it is", async () => {
  const startedAt = performance.now();
  const { body } = await createDownload(stack.baseUrl, [FAST]);
  const job = await completed(body.id);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
  expect(job.result).toMatchObject({ filename: `file-${FAST}.zip`, sizeBytes: SIZE });
  const link = await request<{ url: string }>(`${stack.baseUrl}/v1/downloads/${body.id}/content?redirect=false`, ANN);
  const bytes = Buffer.from(await (await fetch(link.body.url)).arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(seededSha256(FAST, SIZE));
});

test("a slow file comes bit by bit, and ends when its job is cancelled", async () => {
  const { body } = await createDownload(stack.baseUrl, [FAST, SLOW]);
  const seen = new Set<number>();
  await until(
    "three figures of the slow file's progress",
    async () => {
      const { progress, status } = (await getJob(stack.baseUrl, body.id)).body;
      expect(["queued", "processing"]).toContain(status);
      if (progress.filesDone === 1) seen.add(progress.bytesDone);
      return seen.size >= 3;
    },
    PATIENCE_MS,
  );
  for (const bytes of seen) expect(bytes).toBeLessThan(2 * SIZE);
  const url = `${stack.baseUrl}/v1/downloads/${body.id}/cancel`;
  expect(await request(url, { method: "POST", ...ANN })).toMatchObject({ status: 200, body: { status: "cancelled" } });
});
