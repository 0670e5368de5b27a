import { relative } from "node:path";
import type { ApiJob, ApiProgress } from "@longhaul/contracts";
import { FIRST_SAMPLE_ID, putSamples } from "../samples/put-samples.ts";
import type { Stack } from "../stack/start-stack.ts";
import { StackError } from "../stack-error.ts";
import { checkArchive } from "./check-archive.ts";
import { requestDownload, saveResult } from "./download.ts";
import { followJob } from "./follow-job.ts";
import { megabytes, progressLine } from "./progress-bar.ts";

const FILES = 8;
const FILE_BYTES = 25_000_000;
const FILE_IDS = Array.from({ length: FILES }, (_, i) => FIRST_SAMPLE_ID + i);
const JOB_TIMEOUT_MS = 120_000;
/** How far the job is when its processor is killed. */
const KILL_AT_PERCENT = 40;

export type DemoOptions = { stack: Stack; folder: string; signal: AbortSignal; say: (line: string) => void };

/** One download of several files, through the death of its processor, to verified bytes. Throws when any part of it did not happen. */
export async function runDemo({ stack, folder, signal, say }: DemoOptions): Promise<void> {
  await putSamples(stack.run().s3, { firstId: FIRST_SAMPLE_ID, files: FILES, sizeBytes: FILE_BYTES });
  say(`samples   ${FILES} files of ${megabytes(FILE_BYTES)} in object storage`);

  const requestedAt = performance.now();
  const accepted = await requestDownload(stack.baseUrl, FILE_IDS, signal);
  const ms = Math.round(performance.now() - requestedAt);
  say(`request   POST /v1/downloads {"fileIds":[${FILE_IDS[0]}, … ${FILE_IDS.at(-1)}]} -> 202 in ${ms} ms`);
  say(`job       ${accepted.id}`);

  const job = await followThroughKill(stack, accepted, signal, say);
  if (job.status !== "completed" || !job.result) {
    const reason = job.error ? `: ${job.error.code}, ${job.error.message}` : "";
    throw new StackError(`The job ended as ${job.status}${reason}.`, { code: "DEMO_FAILED" });
  }

  const total = job.result.sizeBytes;
  const saving = progressLine("saving    ", process.stdout);
  const saved = await saveResult(stack.baseUrl, job, {
    folder,
    signal,
    onBytes: (bytes) => saving.show((100 * bytes) / total, `${megabytes(bytes)} of ${megabytes(total)}`),
  }).finally(() => saving.end());
  if (saved.sizeBytes !== total) {
    throw new StackError(`The saved file has ${saved.sizeBytes} bytes, and the job says ${total}.`, {
      code: "DEMO_FAILED",
    });
  }
  const checking = progressLine("checking  ", process.stdout);
  await checkArchive(saved.path, FILE_IDS, FILE_BYTES, (checked) =>
    checking.show((100 * checked) / FILES, `${checked} of ${FILES} entries equal their sources`),
  ).finally(() => checking.end());
  say(`saved     ./${relative(process.cwd(), saved.path)}`);
}

/** Follows the job to its end, and kills its processor in the middle. */
async function followThroughKill(
  stack: Stack,
  accepted: ApiJob,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<ApiJob> {
  const line = progressLine("job       ", process.stdout);
  let killed = false;
  const kill = () => {
    killed = true;
    line.end();
    const processor = stack.run().processes.find(({ name }) => name === "processor");
    if (!processor) return;
    say(`kill      SIGKILL to the processor, process ${processor.pid}: the next one takes the job over`);
    process.kill(processor.pid, "SIGKILL");
  };
  const show = (progress: ApiProgress, status: ApiJob["status"] | null) => {
    const { percent, bytesTotal, bytesDone, phase } = progress;
    const bytes = bytesTotal === null ? "" : `${megabytes(bytesDone)} of ${megabytes(bytesTotal)}, `;
    line.show(percent, `${bytes}${status === "completed" ? "completed" : phase}`);
    if (!killed && percent >= KILL_AT_PERCENT && status !== "completed") kill();
  };
  const job = await followJob({
    baseUrl: stack.baseUrl,
    jobId: accepted.id,
    signal: AbortSignal.any([signal, AbortSignal.timeout(JOB_TIMEOUT_MS)]),
    onProgress: show,
  }).finally(() => line.end());
  if (!killed) throw new StackError("The job was done before its processor could be killed.", { code: "DEMO_FAILED" });
  return job;
}
