import type { Stage } from "@longhaul/contracts";
import { type GuardedAnswer, type GuardedHttp, GuardedHttpError, systemClock } from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import type { WorkContext } from "../job/run.ts";
import type { HostSlots } from "./host-slots.ts";
import { bytesBefore, locationOf, type Refusal, rangeHeaders, refusalOf, sizeOf, validatorOf } from "./http-answer.ts";
import { inTime, type ReadLimits } from "./read-limits.ts";
import type { PlannedFile, Source } from "./source.ts";

export type HttpSourceOptions = ReadLimits & {
  /** URL with `{file_id}` in it. */
  template: string;
  http: GuardedHttp;
  slots: HostSlots;
};

const MAX_REDIRECTS = 5;
/**
 * A reader who takes longer over one piece than this part of `fileIdleTimeoutMs` loses the slot, and takes one for the next:
 * who waits for something else must not keep those from the host who could read.
 */
const KEPT_WAITING = 1 / 6;
/** Servers that do not answer HEAD, and signed URLs that are good for GET only. */
const NO_HEAD = [403, 405, 501];
const QUEUE_FULL_RETRY_MS = 5_000;

/** An answer whose body is still to come, and its slot. */
type Open = {
  answer: GuardedAnswer;
  /** Lets go of both. */
  end(): void;
  /** Lets go of the slot only; the rest of the body is to be read with another. */
  leaveSlot(): void;
  takeSlot(): Promise<void>;
};

/** Who reads. Requests of one `owner` wait for those of others, and these waits are told to `waiting`. */
export type HttpReader = { owner: string; waiting: WorkContext["waiting"] };

/** Files that a web server has, which nobody trusts. */
export class HttpSource implements Source {
  readonly #options: HttpSourceOptions;
  readonly #reader: HttpReader;

  constructor(options: HttpSourceOptions, reader: HttpReader) {
    this.#options = options;
    this.#reader = reader;
  }

  async find(fileId: number, signal: AbortSignal): Promise<PlannedFile> {
    const { status, headers } = await this.#head(fileId, signal);
    const sizeBytes = sizeOf({ status, headers });
    const isEmpty = status === 416 && sizeBytes === 0;
    const refusal = isEmpty ? null : refusalOf({ status, headers }, "plan", systemClock.now());
    if (refusal !== null) throw failure("plan", fileId, refusal);
    if (sizeBytes === null) throw failure("plan", fileId, { code: "SOURCE_UNAVAILABLE", what: "it tells no size" });
    const modifiedAt = new Date(headers["last-modified"] ?? 0);
    return {
      fileId,
      name: nameOf(this.#urlOf(fileId), fileId),
      sizeBytes,
      etag: validatorOf(headers),
      crc32: null,
      modifiedAt: Number.isNaN(modifiedAt.getTime()) ? new Date(0) : modifiedAt,
    };
  }

  async *open(file: PlannedFile, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = offset;
    while (at < file.sizeBytes) {
      const reading = this.#read(file, at, signal);
      for await (const piece of reading) {
        at += piece.length;
        if (at > file.sizeBytes) throw changed(file, `it has more than ${file.sizeBytes} bytes`);
        yield piece;
      }
    }
  }

  /** The bytes from an offset on: all of them, or fewer when the reader took too long over one piece. */
  async *#read(file: PlannedFile, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { answer, end, leaveSlot, takeSlot, skip } = await this.#openAt(file, offset, signal);
    // Where nobody can tell versions apart only this connection leads on.
    const isKept = file.etag === null;
    let [skipped, at, isParked] = [0, offset, false];
    const park = () => {
      isParked = true;
      if (isKept) leaveSlot();
      else end();
    };
    try {
      for await (const bytes of inTime(answer.body, file.fileId, this.#options, (why) => answer.body.destroy(why))) {
        const piece = bytes.subarray(Math.min(bytes.length, skip - skipped));
        skipped += bytes.length - piece.length;
        if (piece.length === 0) continue;
        at += piece.length;
        const patience = setTimeout(park, this.#options.fileIdleTimeoutMs * KEPT_WAITING);
        try {
          yield piece;
        } finally {
          clearTimeout(patience);
        }
        if (!isParked) continue;
        if (!isKept) return;
        if (at < file.sizeBytes) await takeSlot();
        isParked = false;
      }
    } catch (error) {
      throw readFailure(error, file, signal);
    } finally {
      end();
    }
    if (at >= file.sizeBytes) return;
    // Where a body ends with its connection, that may have been cut.
    const isWhole = answer.headers["transfer-encoding"] !== undefined;
    const what = `it ended at byte ${at} of ${file.sizeBytes}`;
    throw failure("read-source", file.fileId, { code: isWhole ? "SOURCE_CHANGED" : "SOURCE_UNAVAILABLE", what });
  }

  async #openAt(file: PlannedFile, offset: number, signal: AbortSignal): Promise<Open & { skip: number }> {
    const { fileId, etag } = file;
    if (offset > 0 && etag === null) throw changed(file, "its server does not tell versions apart");
    const open = await this.#ask("GET", fileId, rangeHeaders(offset, etag), "read-source", signal);
    const refusal = refusalOf(open.answer, "read-source", systemClock.now());
    const skip = refusal ?? bytesBefore(open.answer, offset, file);
    if (typeof skip === "number") return { ...open, skip };
    open.end();
    throw failure("read-source", fileId, skip);
  }

  /** What a server tells of a file without sending it. */
  async #head(fileId: number, signal: AbortSignal): Promise<GuardedAnswer> {
    const head = await this.#ask("HEAD", fileId, {}, "plan", signal);
    head.end();
    const { status } = head.answer;
    if (!NO_HEAD.includes(status) && (status !== 200 || sizeOf(head.answer) !== null)) return head.answer;
    const first = await this.#ask("GET", fileId, { range: "bytes=0-0" }, "plan", signal);
    first.end();
    return first.answer;
  }

  /** Asks for a file, and goes where it is sent; each step has a slot of its host. */
  async #ask(
    method: "GET" | "HEAD",
    fileId: number,
    extra: Record<string, string>,
    stage: Stage,
    signal: AbortSignal,
  ): Promise<Open> {
    const headers = { "accept-encoding": "identity", "user-agent": "longhaul", ...extra };
    let url = this.#urlOf(fileId);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const open = await this.#request(url, method, headers, signal).catch((error: unknown) => {
        throw requestFailure(error, stage, fileId);
      });
      const location = locationOf(open.answer);
      if (location === null) return open;
      open.end();
      const next = URL.parse(location, url.href);
      if (next === null) throw failure(stage, fileId, { code: "SOURCE_UNAVAILABLE", what: "it redirects to no URL" });
      url = next;
    }
    throw failure(stage, fileId, { code: "SOURCE_UNAVAILABLE", what: `more than ${MAX_REDIRECTS} redirects` });
  }

  async #request(
    url: URL,
    method: "GET" | "HEAD",
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Open> {
    const { http, fileIdleTimeoutMs: answerTimeoutMs } = this.#options;
    let release = await this.#slotOf(url, signal);
    try {
      const answer = await http.request(url, { method, headers, answerTimeoutMs, signal });
      const end = () => {
        // Where there is no body the connection can be used again.
        if (method === "HEAD") answer.body.resume();
        else answer.body.destroy();
        release();
      };
      const takeSlot = async () => {
        release = await this.#slotOf(url, signal);
      };
      return { answer, end, leaveSlot: () => release(), takeSlot };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Waits for a slot of the host. @returns gives it back */
  async #slotOf({ host }: URL, signal: AbortSignal): Promise<() => void> {
    const release = await this.#reader.waiting(this.#options.slots.take(host, this.#reader.owner, signal));
    if (release === null) throw new HostBusy(`too many requests wait for ${host}`);
    return release;
  }

  #urlOf(fileId: number): URL {
    return new URL(this.#options.template.replaceAll("{file_id}", String(fileId)));
  }
}

const CODES = {
  NOT_ALLOWED: "PERMISSION_DENIED",
  TIMEOUT: "SOURCE_TIMEOUT",
  UNREACHABLE: "SOURCE_UNAVAILABLE",
} as const;

/** Too many requests of ours wait for the host. */
export class HostBusy extends Error {
  readonly code = "HOST_BUSY";
}

/** The last segment of the path where that names the file; servers' own words on it are not taken. */
function nameOf(url: URL, fileId: number): string {
  const segment = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  return segment.includes(String(fileId)) ? segment : `${fileId}`;
}

function requestFailure(error: unknown, stage: Stage, fileId: number): unknown {
  if (error instanceof HostBusy) {
    const limited = { stage, code: "SOURCE_RATE_LIMITED", fileId, retryAfterMs: QUEUE_FULL_RETRY_MS } as const;
    return new JobFailure(limited, { cause: error });
  }
  if (!(error instanceof GuardedHttpError)) return error;
  return new JobFailure({ stage, code: CODES[error.code], fileId }, { cause: error });
}

/** What went wrong with a body: with our own reason where we ended it, else it was cut off or is not HTTP. */
function readFailure(error: unknown, { fileId }: PlannedFile, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const known = requestFailure(error, "read-source", fileId);
  if (known instanceof JobFailure) return known;
  return new JobFailure({ stage: "read-source", code: "SOURCE_UNAVAILABLE", fileId }, { cause: error });
}

const changed = (file: PlannedFile, what: string) =>
  failure("read-source", file.fileId, { code: "SOURCE_CHANGED", what });

function failure(stage: Stage, fileId: number, { code, retryAfterMs, what }: Refusal): JobFailure {
  return new JobFailure({ stage, code, fileId, retryAfterMs }, { cause: new Error(`the file of the source: ${what}`) });
}
