import { createHash } from "node:crypto";
import { connectBus } from "@longhaul/bus";
import { createLogger } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { createDownload, follow, getJob, type Job, request } from "../support/download-client.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const SIZE = 3_000_000;
const NATS_TIMEOUT_MS = 5_000;
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    servers: { mongodbUrl: inject("mongodbUrl"), s3: inject("s3") },
    counts: { gateway: 2 },
  });
  await stack.seed(70_000, 2, SIZE);
});
afterAll(() => stack?.dispose());

const ended = (id: string, user = "ann") =>
  until(`the end of ${id}`, async () => {
    const { body } = await getJob(stack.baseUrl, id, user);
    return body.status === "completed" || body.status === "failed" ? body : null;
  });

test("a file travels from the request to verified bytes", async () => {
  const created = await createDownload(stack.baseUrl, [70_000]);
  expect(created.status).toBe(202);
  expect(created.headers.get("location")).toBe(`${stack.baseUrl}/v1/downloads/${created.body.id}`);

  const { frames, closeCode } = await follow(stack.baseUrl, created.body.id);
  expect(closeCode).toBe(1000);
  const last = frames.at(-1);
  expect(last).toMatchObject({ type: "job", final: true });
  expect(last?.job).toMatchObject({ status: "completed", progress: { filesDone: 1, bytesDone: SIZE, percent: 100 } });

  const link = await request<{ url: string; sizeBytes: number }>(
    `${stack.baseUrl}/v1/downloads/${created.body.id}/content?redirect=false`,
    { headers: { "x-user-id": "ann" } },
  );
  expect(link.status).toBe(200);
  const file = await fetch(link.body.url);
  const bytes = Buffer.from(await file.arrayBuffer());
  expect(file.headers.get("content-disposition")).toContain('filename="file-70000.zip"');
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(seededSha256(70_000, SIZE));
});

test("every way to look at a job tells the same version, on every gateway", async () => {
  const { body } = await createDownload(stack.baseUrl, [70_001]);
  const job = await ended(body.id);
  const gateways = stack.run().processes.filter((p) => p.name === "gateway");
  expect(gateways).toHaveLength(2);
  for (const { ports } of gateways) {
    const baseUrl = `http://127.0.0.1:${ports.http}`;
    const answer = await getJob(baseUrl, body.id);
    expect(answer.body).toEqual(job);
    expect(answer.headers.get("etag")).toBe(`W/"${job.version}"`);
    const unchanged = await getJob(baseUrl, body.id, "ann", { "if-none-match": `W/"${job.version}"` });
    expect(unchanged.status).toBe(304);
    const { frames } = await follow(baseUrl, body.id);
    expect(frames.at(-1)).toMatchObject({ version: job.version, final: true });
  }
});

test("a missing file ends the job as failed, and says which file and why", async () => {
  const { body } = await createDownload(stack.baseUrl, [99_999]);
  const job: Job = await ended(body.id);
  expect(job).toMatchObject({ status: "failed", error: { code: "FILE_NOT_FOUND", retryable: false, fileId: 99_999 } });
  const content = await request<{ code: string }>(`${stack.baseUrl}/v1/downloads/${body.id}/content`, {
    headers: { "x-user-id": "ann" },
  });
  expect(content).toMatchObject({ status: 409, body: { code: "JOB_FAILED" } });
});

test("another user's job does not exist", async () => {
  const { body } = await createDownload(stack.baseUrl, [70_000]);
  expect((await getJob(stack.baseUrl, body.id, "bob")).status).toBe(404);
  expect((await follow(stack.baseUrl, body.id, "bob")).closeCode).toBe(4404);
});

test("a work item that nobody can read is set aside, and the jobs behind it go on", async () => {
  const bus = await connectBus({ servers: [stack.run().nats.url], name: "test", log: createLogger("test", "error") });
  const messages = async (stream: string) => {
    const answer = await bus.requests.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeoutMs: NATS_TIMEOUT_MS });
    return answer.json<{ state: { messages: number } }>().state.messages;
  };
  try {
    await bus.requests.request("download.requested.normal.fast.garbage.1", "{", { timeoutMs: NATS_TIMEOUT_MS });
    const { body } = await createDownload(stack.baseUrl, [70_000]);
    expect(await ended(body.id)).toMatchObject({ status: "completed" });
    await until("the item to lie in DEADLETTERS and nowhere else", async () => {
      return (await messages("DEADLETTERS")) === 1 && (await messages("WORK")) === 0;
    });
  } finally {
    await bus.close();
  }
});
