import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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

/**
 * The body behind a signed URL. Not by `fetch`: that of Node 24 can end the process when a server closes its connection
 * while the reader holds the stream back.
 */
async function getStream(url: string, status: number, signal: AbortSignal): Promise<IncomingMessage> {
  if (status !== 303) throw failed(`the gateway answered ${status}`);
  const request = (url.startsWith("https:") ? httpsGet : httpGet)(url, { signal, timeout: REQUEST_TIMEOUT_MS });
  request.once("timeout", () => request.destroy(failed("the storage did not answer in time")));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  if (response.statusCode === 200) return response;
  throw failed(`the storage answered ${response.statusCode}: ${(await text(response)).slice(0, 500)}`);
}

const failed = (what: string) => new StackError(`The result could not be fetched: ${what}.`, { code: "DEMO_FAILED" });

export type Saved = { path: string; sizeBytes: number; sha256: string };

/** Saves a job's result into `folder`: our link answers with a redirect to a signed URL of the storage. */
export async function saveResult(
  baseUrl: string,
  job: ApiJob,
  { folder, signal, onBytes }: { folder: string; signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<Saved> {
  const link = new URL(job.links.content ?? `${job.links.self}/content`, baseUrl);
  const redirect = await fetch(link, { signal, redirect: "manual" });
  const response = await getStream(redirect.headers.get("location") ?? "", redirect.status, signal);
  await mkdir(folder, { recursive: true });
  const path = join(folder, job.result?.filename ?? `${job.id}.bin`);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    response,
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
