import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";

/** What these tests know of a job's shape: declared here, so that a change of the contract breaks them. */
export type Job = {
  id: string;
  status: "queued" | "processing" | "paused" | "completed" | "failed" | "cancelled" | "expired";
  generation: number;
  attempt: number;
  version: string;
  stale?: true;
  progress: { filesTotal: number; filesDone: number; bytesTotal: number | null; bytesDone: number; percent: number };
  error: { code: string; retryable: boolean } | null;
  result: { filename: string; sizeBytes: number; checksumCrc32: string | null; url: string | null } | null;
};

export type Answer<T> = { status: number; headers: Headers; body: T; ms: number };

const TIMEOUT_MS = 15_000;
const FOLLOW_TIMEOUT_MS = 60_000;

/** One request with a JSON answer. */
export async function request<T>(url: string, init: RequestInit = {}): Promise<Answer<T>> {
  const startedAt = performance.now();
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  const text = await response.text();
  const body = (text.startsWith("{") ? JSON.parse(text) : text) as T;
  return { status: response.status, headers: response.headers, body, ms: performance.now() - startedAt };
}

export function createDownload(baseUrl: string, fileIds: number[], user = "ann"): Promise<Answer<Job>> {
  return request<Job>(`${baseUrl}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": user },
    body: JSON.stringify({ fileIds }),
  });
}

export function getJob(baseUrl: string, id: string, user = "ann", headers = {}): Promise<Answer<Job>> {
  return request<Job>(`${baseUrl}/v1/downloads/${id}`, { headers: { "x-user-id": user, ...headers } });
}

/**
 * Fetches a job's result into a file. The memory it takes does not depend on its size. Not with `fetch`: that of Node 24 fails
 * an assertion when the server closes the connection while the disk is behind.
 */
export async function saveContent(baseUrl: string, id: string, path: string, user = "ann"): Promise<void> {
  const link = `${baseUrl}/v1/downloads/${id}/content?redirect=false`;
  const { body } = await request<{ url: string }>(link, { headers: { "x-user-id": user } });
  const [response] = (await once(get(body.url), "response")) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the content of ${id} is answered ${response.statusCode}`);
  await pipeline(response, createWriteStream(path));
}

export type Frame = { type: string; version?: string; final?: boolean; job?: Job; code?: number };

/** Follows a job on the socket until it closes. */
export function follow(
  baseUrl: string,
  id: string,
  user = "ann",
  timeoutMs = FOLLOW_TIMEOUT_MS,
): Promise<{ frames: Frame[]; closeCode: number }> {
  const url = `${baseUrl.replace("http", "ws")}/v1/downloads/${id}/ws?user_id=${user}`;
  const socket = new WebSocket(url, "longhaul.v1");
  const frames: Frame[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`the socket of ${id} was still open after ${timeoutMs} ms: ${JSON.stringify(frames)}`));
    }, timeoutMs);
    socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)));
    socket.onclose = ({ code }) => {
      clearTimeout(timer);
      resolve({ frames, closeCode: code });
    };
  });
}
