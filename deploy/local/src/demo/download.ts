import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ApiJob, apiJob } from "@longhaul/contracts";
import { StackError } from "../stack-error.ts";

const REQUEST_TIMEOUT_MS = 30_000;

/** Asks for a download of files and returns the job that was accepted. */
export async function requestDownload(
  baseUrl: string,
  fileIds: readonly number[],
  signal: AbortSignal,
): Promise<ApiJob> {
  const response = await fetch(new URL("/v1/downloads", baseUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ fileIds }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  });
  const body = await response.text();
  if (response.status !== 202) {
    throw new StackError(`The gateway answered ${response.status} to the request for a download:\n${body}`, {
      code: "DEMO_FAILED",
    });
  }
  return apiJob.parse(JSON.parse(body));
}

export type Saved = { path: string; sizeBytes: number; sha256: string };

/** Saves a job's result into `folder`: our link answers with a redirect to a signed URL of the storage. */
export async function saveResult(
  baseUrl: string,
  job: ApiJob,
  { folder, signal, onBytes }: { folder: string; signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<Saved> {
  const response = await fetch(new URL(job.links.content ?? `${job.links.self}/content`, baseUrl), { signal });
  if (!response.ok || !response.body) {
    throw new StackError(
      `The result could not be fetched: ${response.status} ${(await response.text()).slice(0, 500)}`,
      { code: "DEMO_FAILED" },
    );
  }
  await mkdir(folder, { recursive: true });
  const path = join(folder, job.result?.filename ?? `${job.id}.bin`);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    Readable.fromWeb(response.body),
    async function* count(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        sizeBytes += chunk.byteLength;
        onBytes(sizeBytes);
        yield chunk;
      }
    },
    createWriteStream(`${path}.part`),
    { signal },
  );
  await rename(`${path}.part`, path);
  return { path, sizeBytes, sha256: hash.digest("hex") };
}
