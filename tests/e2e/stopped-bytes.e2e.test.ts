import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { isInstalled, listWith, ZIP_TOOLS } from "../../services/processor/src/archive/testing/zip-tools.ts";
import { createDownload, follow, getJob, type Job, request } from "../support/download-client.ts";
import { type JobHistories, openHistories } from "../support/job-histories.ts";
import { leftovers } from "../support/leftovers.ts";
import { type SourceStack, startSourceStack } from "../support/source-stack.ts";
import { until } from "../support/until.ts";

const FIRST_ID = 70_000;
const FILES_PER_JOB = 2;
const FILE_BYTES = 6_000_000;
const JOBS_AT_A_TIME = 8;
const ROUNDS = 3;
/** Bytes of a job that have come when it is told to stop: it is in the middle of a file. */
const STOP_AFTER_BYTES = 300_000;
const TOOL_TIMEOUT_MS = 60_000;

let sources: SourceStack;
let histories: JobHistories;

beforeAll(async () => {
  sources = await startSourceStack(({ method }) => (method === "GET" ? "slow" : "pass"), {
    env: { WATCH_IDLE_MS: "1000" },
  });
  histories = await openHistories(sources.stack.run().nats.url);
  await sources.stack.seed(FIRST_ID, FILES_PER_JOB * JOBS_AT_A_TIME, FILE_BYTES);
});
afterAll(async () => {
  await histories?.close();
  await sources?.dispose();
});

const filesOf = (place: number) =>
  Array.from({ length: FILES_PER_JOB }, (_, i) => FIRST_ID + place * FILES_PER_JOB + i);

const send = (id: string, command: string) =>
  request<Job>(`${sources.stack.baseUrl}/v1/downloads/${id}/${command}`, {
    method: "POST",
    headers: { "x-user-id": "ann" },
  });

function bytesOf(fileIds: number[]): { bytes: number; lastByteAt: number; open: number } {
  const readings = fileIds.map((fileId) => sources.proxy.reading(fileId));
  return {
    bytes: readings.reduce((sum, { bytes }) => sum + bytes, 0),
    lastByteAt: Math.max(...readings.map(({ lastByteAt }) => lastByteAt)),
    open: readings.reduce((sum, { open }) => sum + open, 0),
  };
}

async function utilization(): Promise<number> {
  const metrics = sources.stack.run().processes.find(({ name }) => name === "processor")?.ports.metrics;
  const { body } = await request<string>(`http://127.0.0.1:${metrics}/metrics`);
  return Number(/^download_worker_utilization\S* (\S+)$/m.exec(body)?.[1]);
}

const slotsAreFree = () => until("the slots to be free", async () => (await utilization()) === 0);

/** Stops a job in the middle of its bytes; gives the time from the request to the last byte that was read, milliseconds. */
async function stopped(place: number, command: "cancel" | "pause"): Promise<number> {
  const fileIds = filesOf(place);
  const before = bytesOf(fileIds).bytes;
  const { body: job } = await createDownload(sources.stack.baseUrl, fileIds);
  await until("bytes to come", () => bytesOf(fileIds).bytes > before + STOP_AFTER_BYTES);
  const askedAt = performance.now();
  const answer = await send(job.id, command);
  expect(answer).toMatchObject({ status: 200, body: { status: command === "cancel" ? "cancelled" : "paused" } });
  await until("the bytes to stop", () => bytesOf(fileIds).open === 0);
  const { bytes, lastByteAt } = bytesOf(fileIds);
  expect(bytes - before, "it was stopped in its middle").toBeLessThan(FILES_PER_JOB * FILE_BYTES);
  if (command === "pause") expect((await send(job.id, "cancel")).status).toBe(200);
  return Math.max(0, lastByteAt - askedAt);
}

test("a cancel or a pause stops the bytes of a running job, and frees its slot", async () => {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await inParallel(Array(JOBS_AT_A_TIME).keys(), JOBS_AT_A_TIME, async (place) => {
      times.push(await stopped(place, place % 2 === 0 ? "cancel" : "pause"));
    });
    await slotsAreFree();
    const all = filesOf(0).concat(...Array.from({ length: JOBS_AT_A_TIME - 1 }, (_, i) => filesOf(i + 1)));
    const { bytes } = bytesOf(all);
    await until("the leftovers to be gone", async () => (await leftovers(sources.stack.run(), [])).length === 0);
    expect(bytesOf(all), "nobody reads on").toMatchObject({ bytes, open: 0 });
  }
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
  console.log(
    `from the request to the last byte, ${sorted.length} jobs: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, most ${at(1)} ms`,
  );
  expect(histories.broken()).toEqual([]);
});

test("a job that is paused in the middle and resumed ends with the right bytes", async (context) => {
  const tool = ZIP_TOOLS.find(({ list }) => list !== undefined);
  if (!tool) throw new Error("there is no tool that lists archives");
  context.skip(!(await isInstalled(tool)), `${tool.command} is not installed`);
  const fileIds = filesOf(0);
  const before = bytesOf(fileIds).bytes;
  const { body: job } = await createDownload(sources.stack.baseUrl, fileIds);
  await until("bytes to come", () => bytesOf(fileIds).bytes > before + STOP_AFTER_BYTES);
  expect((await send(job.id, "pause")).body).toMatchObject({ status: "paused", generation: 1 });
  await slotsAreFree();
  const { bytes } = bytesOf(fileIds);
  expect((await getJob(sources.stack.baseUrl, job.id)).body).toMatchObject({ status: "paused", attempt: 1 });

  sources.proxy.hurry();
  expect((await send(job.id, "resume")).body).toMatchObject({ status: "queued", generation: 2 });
  const { frames } = await follow(sources.stack.baseUrl, job.id, "ann", 90_000);
  const ended = frames.at(-1)?.job;
  expect(ended).toMatchObject({ status: "completed", generation: 2, attempt: 1, error: null });
  expect(bytesOf(fileIds).bytes, "between pause and resume nothing was read").toBeGreaterThan(bytes);

  const folder = await mkdtemp(join(tmpdir(), "longhaul-resumed-"));
  try {
    const content = await fetch(`${sources.stack.baseUrl}/v1/downloads/${job.id}/content`, {
      headers: { "x-user-id": "ann" },
    });
    const path = join(folder, "result.zip");
    await writeFile(path, Buffer.from(await content.arrayBuffer()));
    expect(await listWith(tool, [path], TOOL_TIMEOUT_MS).then((found) => found.get(path))).toEqual(
      fileIds.map((fileId) => `${fileId}.zip\t${FILE_BYTES}\t${seededSha256(fileId, FILE_BYTES)}`),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  expect(histories.broken()).toEqual([]);
});
