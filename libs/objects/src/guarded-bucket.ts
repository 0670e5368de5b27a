import type { Readable } from "node:stream";
import type { Breaker, CallVerdict } from "@longhaul/runtime";
import type {
  Bucket,
  CompleteOptions,
  CopiedPart,
  ListedObject,
  ListedPart,
  ListedUpload,
  ObjectHead,
  ObjectRange,
  OpenOptions,
  PresignOptions,
  PutOptions,
  SentPart,
  SignedUrl,
  Upload,
  UploadPart,
  Uploads,
  UploadsPage,
} from "./objects.ts";
import { ObjectsError, type ObjectsErrorCode } from "./objects-error.ts";

const FAILURES: readonly ObjectsErrorCode[] = ["UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"];
const ON_OUR_SIDE: readonly ObjectsErrorCode[] = ["ABORTED", "BODY_FAILED"];

/** What the error of a call says about the store: every answer but a cry for help shows that it is well. */
export function judgeStore(error: unknown): CallVerdict {
  if (!(error instanceof ObjectsError) || ON_OUR_SIDE.includes(error.code)) return "nothing";
  return FAILURES.includes(error.code) ? "failure" : "answer";
}

/**
 * A bucket whose calls go through the breaker of its store. Refused calls fail with `BREAKER_OPEN`, and so do those that
 * failed with the store when it has opened by then, or when a probe fails, too: the caller waits for the store instead of
 * using up its tries, also when it is the only one.
 */
export class GuardedBucket implements Bucket {
  readonly name: string;
  readonly breaker: Breaker;
  readonly uploads: Uploads;
  readonly #bucket: Bucket;

  constructor(bucket: Bucket, breaker: Breaker) {
    this.name = bucket.name;
    this.breaker = breaker;
    this.#bucket = bucket;
    this.uploads = new GuardedUploads(bucket.uploads, breaker);
  }

  head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectHead | null> {
    return guarded(this.breaker, () => this.#bucket.head(key, options));
  }

  open(key: string, options: OpenOptions): AsyncIterable<Uint8Array> {
    return guardedPieces(this.breaker, () => this.#bucket.open(key, options));
  }

  /** Sends nothing. */
  presignGet(key: string, options: PresignOptions): Promise<SignedUrl> {
    return this.#bucket.presignGet(key, options);
  }

  put(key: string, body: Uint8Array | Readable, options: PutOptions): Promise<{ etag: string }> {
    return guarded(this.breaker, () => this.#bucket.put(key, body, options));
  }

  list(prefix: string, options?: { after?: string | undefined; signal?: AbortSignal }): AsyncGenerator<ListedObject> {
    return guardedPieces(this.breaker, () => this.#bucket.list(prefix, options));
  }

  delete(key: string, options: { signal: AbortSignal }): Promise<void> {
    return guarded(this.breaker, () => this.#bucket.delete(key, options));
  }

  ensure(options: { origins: readonly string[]; signal?: AbortSignal }): Promise<void> {
    return this.#bucket.ensure(options);
  }

  ping(signal?: AbortSignal): Promise<void> {
    return guarded(this.breaker, () => this.#bucket.ping(signal));
  }
}

class GuardedUploads implements Uploads {
  readonly #uploads: Uploads;
  readonly #breaker: Breaker;

  constructor(uploads: Uploads, breaker: Breaker) {
    this.#uploads = uploads;
    this.#breaker = breaker;
  }

  create(key: string, options: { contentType: string; signal: AbortSignal }): Promise<string> {
    return guarded(this.#breaker, () => this.#uploads.create(key, options));
  }

  sendPart(upload: Upload, part: UploadPart, signal: AbortSignal): Promise<string> {
    return guarded(this.#breaker, () => this.#uploads.sendPart(upload, part, signal));
  }

  copyPart(upload: Upload, number: number, from: ObjectRange, signal: AbortSignal): Promise<CopiedPart> {
    return guarded(this.#breaker, () => this.#uploads.copyPart(upload, number, from, signal));
  }

  listParts(upload: Upload, options: { signal: AbortSignal }): AsyncGenerator<ListedPart> {
    return guardedPieces(this.#breaker, () => this.#uploads.listParts(upload, options));
  }

  complete(upload: Upload, parts: readonly SentPart[], options: CompleteOptions): Promise<void> {
    return guarded(this.#breaker, () => this.#uploads.complete(upload, parts, options));
  }

  abort(upload: Upload, signal: AbortSignal): Promise<void> {
    return guarded(this.#breaker, () => this.#uploads.abort(upload, signal));
  }

  list(prefix: string, options: { from?: UploadsPage | undefined; signal: AbortSignal }): AsyncGenerator<ListedUpload> {
    return guardedPieces(this.#breaker, () => this.#uploads.list(prefix, options));
  }
}

async function guarded<T>(breaker: Breaker, call: () => Promise<T>): Promise<T> {
  try {
    return await breaker.run(call);
  } catch (error) {
    throw await waitingFor(breaker, error);
  }
}

async function* guardedPieces<T>(breaker: Breaker, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* breaker.stream(open);
  } catch (error) {
    throw await waitingFor(breaker, error);
  }
}

async function waitingFor(breaker: Breaker, error: unknown): Promise<unknown> {
  const known = error instanceof ObjectsError ? error : null;
  const isSilent = known?.code === "UNAVAILABLE" || known?.code === "TIMEOUT";
  const retryAfterMs = breaker.waitMs(error, known?.retryAfterMs) ?? (isSilent ? await breaker.awayMs() : null);
  if (retryAfterMs === null || !(error instanceof Error)) return error;
  return new ObjectsError(error.message, { code: "BREAKER_OPEN", retryAfterMs, cause: error });
}
