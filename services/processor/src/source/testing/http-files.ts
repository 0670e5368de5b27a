import { randomBytes } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import type { JobErrorCode, Stage } from "@longhaul/contracts";
import { GuardedHttp, isPublicAddress, systemClock, systemRandom } from "@longhaul/runtime";
import { readWithTries } from "../../work/file-tries.ts";
import { HostSlots } from "../host-slots.ts";
import { HttpSource } from "../http-source.ts";
import type { PlannedFile, Source } from "../source.ts";
import { type Origin, startOrigin, startRawOrigin } from "./origin.ts";

export const FILE = randomBytes(1_000_000);
export const ETAG = '"v1"';
export const NEVER = new AbortController().signal;
const IDLE_MS = 1_500;
export const MODIFIED = "Fri, 02 Jan 2026 03:04:06 GMT";

/** What a failed call of a source tells. */
export const failing = (code: JobErrorCode, stage: Stage) => ({ code, stage });

const closers: (() => unknown)[] = [];

/** Closes all servers and sources of a test. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

type Settings = {
  allowHttp?: boolean;
  minBytesPerSecond?: number;
  perHost?: number;
  idleMs?: number;
  lookup?: LookupFunction;
};

/** A source whose guard lets nothing private through but the address of the test's own servers. */
export function sourceOf(template: string, settings: Settings = {}): HttpSource {
  const { allowHttp = true, minBytesPerSecond = 0, perHost = 8, idleMs = IDLE_MS, lookup } = settings;
  const allows = (address: string) => address === "127.0.0.1" || isPublicAddress(address);
  const http = new GuardedHttp({ allowHttp, allows, keptPerHost: perHost, ...(lookup ? { lookup } : {}) });
  closers.push(() => http.close());
  const limits = { fileIdleTimeoutMs: idleMs, sourceMinBytesPerSecond: minBytesPerSecond };
  return new HttpSource(
    { ...limits, template, http, slots: new HostSlots(perHost) },
    { owner: "ann", waiting: (wait) => wait },
  );
}

export async function origin(handler: RequestListener): Promise<Origin> {
  const started = await startOrigin(handler);
  closers.push(() => started.close());
  return started;
}

export async function rawOrigin(talk: (socket: Socket, request: string) => void): Promise<Origin> {
  const started = await startRawOrigin(talk);
  closers.push(() => started.close());
  return started;
}

export const templateOf = ({ url }: Origin) => `${url}/files/{file_id}.bin`;

/** What an honest server does. */
export function serve(request: IncomingMessage, response: ServerResponse, etag: string | null = ETAG): void {
  const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const versions = etag === null ? {} : { etag };
  const headers = { "last-modified": MODIFIED, "content-length": FILE.length - offset, ...versions };
  if (offset === 0) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${offset}-${FILE.length - 1}/${FILE.length}` });
  response.end(request.method === "HEAD" ? undefined : FILE.subarray(offset));
}

/** A server that tells nothing by which versions could be told apart, and sends every file from its begin. */
export const versionless: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": FILE.length }).end(FILE);
};

/** Serves what `find` asks for honestly, and what `open` asks for as the test says. */
export const lying =
  (handler: RequestListener): RequestListener =>
  (request, response) =>
    request.method === "HEAD" ? serve(request, response) : handler(request, response);

export async function read(source: Source, offset = 0, file?: PlannedFile): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const found = file ?? (await source.find(70_000, NEVER));
  for await (const piece of source.open(found, offset, NEVER)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** As an archive reads it: what breaks off is tried again. */
export function readingOn(source: HttpSource, file: PlannedFile): AsyncGenerator<Uint8Array> {
  const tries = { fileTries: 3, retryBaseMs: 1, clock: systemClock, random: systemRandom };
  const open = (...args: Parameters<HttpSource["open"]>) => source.open(...args);
  return readWithTries(file, 0, open, tries, NEVER);
}

export async function readOn(source: HttpSource, file: PlannedFile): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readingOn(source, file)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
