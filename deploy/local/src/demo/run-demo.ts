import { relative } from "node:path";
import { FIRST_SAMPLE_ID, putSamples } from "../samples/put-samples.ts";
import { seededSha256 } from "../samples/seeded-bytes.ts";
import type { Stack } from "../stack/start-stack.ts";
import { StackError } from "../stack-error.ts";
import { requestDownload, saveResult } from "./download.ts";
import { followJob } from "./follow-job.ts";
import { megabytes, progressLine } from "./progress-bar.ts";

const FILES = 3;
const FILE_BYTES = 40_000_000;
const JOB_TIMEOUT_MS = 90_000;

export type DemoOptions = { stack: Stack; folder: string; signal: AbortSignal; say: (line: string) => void };

/** One download from the request to the verified file. Throws when any part of it did not happen. */
export async function runDemo({ stack, folder, signal, say }: DemoOptions): Promise<void> {
  const samples = { firstId: FIRST_SAMPLE_ID, files: FILES, sizeBytes: FILE_BYTES };
  await putSamples(stack.run().s3, samples);
  say(`samples   ${FILES} files of ${megabytes(FILE_BYTES)} in object storage`);

  const fileId = samples.firstId;
  const requestedAt = performance.now();
  const accepted = await requestDownload(stack.baseUrl, [fileId], signal);
  say(
    `request   POST /v1/downloads {"fileIds":[${fileId}]} -> 202 in ${Math.round(performance.now() - requestedAt)} ms`,
  );
  say(`job       ${accepted.id}`);

  const line = progressLine("job       ", process.stdout);
  const job = await followJob({
    baseUrl: stack.baseUrl,
    jobId: accepted.id,
    signal: AbortSignal.any([signal, AbortSignal.timeout(JOB_TIMEOUT_MS)]),
    onProgress: (progress, status) => {
      const bytes =
        progress.bytesTotal === null ? "" : `${megabytes(progress.bytesDone)} of ${megabytes(progress.bytesTotal)}, `;
      line.show(progress.percent, `${bytes}${status === "completed" ? "completed" : progress.phase}`);
    },
  }).finally(() => line.end());
  if (job.status !== "completed") {
    const reason = job.error ? `: ${job.error.code}, ${job.error.message}` : "";
    throw new StackError(`The job ended as ${job.status}${reason}.`, { code: "DEMO_FAILED" });
  }

  const saving = progressLine("saving    ", process.stdout);
  const saved = await saveResult(stack.baseUrl, job, {
    folder,
    signal,
    onBytes: (bytes) => saving.show((100 * bytes) / FILE_BYTES, `${megabytes(bytes)} of ${megabytes(FILE_BYTES)}`),
  }).finally(() => saving.end());
  const expected = seededSha256(fileId, FILE_BYTES);
  if (saved.sizeBytes !== FILE_BYTES || saved.sha256 !== expected) {
    throw new StackError(
      `The saved file is not the source: ${saved.sizeBytes} bytes with SHA-256 ${saved.sha256}, and ${FILE_BYTES} bytes with ${expected} were put.`,
      { code: "DEMO_FAILED" },
    );
  }
  say(`verified  ${saved.sizeBytes} bytes, SHA-256 ${saved.sha256}: equal to the source`);
  say(`saved     ./${relative(process.cwd(), saved.path)}`);
}
