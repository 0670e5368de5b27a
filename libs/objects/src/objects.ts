import type { Readable } from "node:stream";
import type { PayloadRef } from "@longhaul/contracts";
import type { Breaker } from "@longhaul/runtime";
import type { PayloadOwner } from "./payload-bytes.ts";

/** What a HEAD tells of an object. */
export type ObjectHead = {
  sizeBytes: number;
  /** As the store gives it, with its quotes. */
  etag: string;
  contentType: string;
  /** CRC32 of the whole object as 8 hex digits; null where the store keeps none. */
  crc32: string | null;
  lastModified: Date;
};

export type ListedObject = { key: string; sizeBytes: number; lastModified: Date };

/** A URL that lets its holder GET one object; not a word of it may be logged. */
export type SignedUrl = { url: string; expiresAt: Date };

export type PresignOptions = {
  /** Offered to whoever saves the object; any text, made safe for the header. */
  filename: string;
  contentType: string;
  /** 1..604800; shortened to the rest of the signer's own session. */
  ttlSeconds: number;
};

export type PutOptions = {
  /** Must be the length of the body exactly. */
  sizeBytes: number;
  contentType: string;
  /** Eight hex digits: the store refuses other bytes. */
  crc32?: string;
  signal?: AbortSignal;
};

export type OpenOptions = {
  /** The first byte to read. */
  offset: number;
  /** Read only this version of the object: `CONFLICT` when it has changed. */
  etag: string | null;
  signal: AbortSignal;
};

export type Upload = { key: string; id: string };
/** Number 1…10,000. */
export type UploadPart = { number: number; bytes: Uint8Array; crc32: string };
/** `length` bytes of an object, from `offset` on; only of this version of it. */
export type ObjectRange = { bucket: string; key: string; etag: string; offset: number; length: number };
/** A part that the store took from an object. */
export type CopiedPart = { etag: string; crc32: string };
export type SentPart = { number: number; etag: string; crc32: string };
/** Size and CRC of the whole object. */
export type CompleteOptions = { sizeBytes: number; crc32: string; signal: AbortSignal };
/** A part that is stored. `crc32`: null where the store lists none. */
export type ListedPart = { number: number; etag: string; sizeBytes: number; crc32: string | null };
/** A page of a listing of uploads, in the words of the store: a listing can begin there. */
export type UploadsPage = { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined };
/** `page`: the one on which it was listed. */
export type ListedUpload = Upload & { startedAt: Date; page: UploadsPage };

/** Multipart uploads. Every part but the last has at least 5 MiB. */
export type Uploads = {
  /** Begins an upload; gives its id. */
  create(key: string, options: { contentType: string; signal: AbortSignal }): Promise<string>;
  /** Sends one part, in place of an earlier one of the same number; gives its ETag. Time in proportion to its size. */
  sendPart(upload: Upload, part: UploadPart, signal: AbortSignal): Promise<string>;
  /**
   * Has the store take a part from an object of its own, in place of an earlier one of the same number. Time in
   * proportion to its size. `CONFLICT`: the object is another by now, or is gone. `UNSUPPORTED`: also when the store
   * does not tell the CRC of what it has copied.
   */
  copyPart(upload: Upload, number: number, from: ObjectRange, signal: AbortSignal): Promise<CopiedPart>;
  /**
   * The parts that are stored, page by page. `NOT_FOUND`: there is no such upload, or no more. A part that was sent again
   * may be listed twice: SeaweedFS (4.48) keeps both.
   */
  listParts(upload: Upload, options: { signal: AbortSignal }): AsyncGenerator<ListedPart>;
  /**
   * Makes the object of exactly these parts, in order of their numbers. An answer is no proof: look at the object. Time in
   * proportion to its size. `NOT_FOUND`: there is no such upload, or no more.
   */
  complete(upload: Upload, parts: readonly SentPart[], options: CompleteOptions): Promise<void>;
  /**
   * Ends the upload and removes its parts, also those that were on their way when it was asked first. Without effect
   * when there is no such upload (any more).
   */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Unfinished uploads whose key begins with `prefix`, page by page, in an order of the store's own; `from`: at this page. */
  list(prefix: string, options: { from?: UploadsPage | undefined; signal: AbortSignal }): AsyncGenerator<ListedUpload>;
};

/** One bucket. Every call ends within `S3_CALL_TIMEOUT_MS`, its tries included, and rejects with an `ObjectsError`. */
export type Bucket = {
  readonly name: string;
  /** Of its store; null when calls are always made. */
  readonly breaker: Breaker | null;
  /** Null when there is no such object. */
  head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectHead | null>;
  /** The bytes from an offset on; stops when the caller does. Each piece has `S3_CALL_TIMEOUT_MS`. */
  open(key: string, options: OpenOptions): AsyncIterable<Uint8Array>;
  readonly uploads: Uploads;
  presignGet(key: string, options: PresignOptions): Promise<SignedUrl>;
  /** Writes the whole object in one request. A body of more than a few MiB gets time in proportion to its size. */
  put(key: string, body: Uint8Array | Readable, options: PutOptions): Promise<{ etag: string }>;
  /** All objects whose key begins with `prefix`, in order of their keys, page by page; `after`: only greater keys. */
  list(prefix: string, options?: { after?: string | undefined; signal?: AbortSignal }): AsyncGenerator<ListedObject>;
  /** Without effect when there is no such object. */
  delete(key: string, options: { signal: AbortSignal }): Promise<void>;
  /** Makes the bucket if it is not there, and lets pages of `origins` read it. For tools, not for services. */
  ensure(options: { origins: readonly string[]; signal?: AbortSignal }): Promise<void>;
  /** Resolves when the store answers, knows the bucket and lets us in. */
  ping(signal?: AbortSignal): Promise<void>;
};

/**
 * What is too large for a job's record: JSON under `payload/<tenant>/<id>/<random>`, named in the record by key, hash
 * and size. It is put before a record names it, and never changed; cleanup and the orphan sweep delete what no record
 * names. Every call ends in `S3_CALL_TIMEOUT_MS` and a second for each MiB, and rejects with an `ObjectsError`.
 */
export type Payloads = {
  /** Stores a value under a fresh key of the job. `REJECTED`: it is larger than 64 MiB. */
  put(owner: PayloadOwner, value: unknown, signal?: AbortSignal): Promise<PayloadRef>;
  /**
   * The value that was put. `NOT_FOUND`: it is gone; `DAMAGED`: it is another one. Whether it has the form that the
   * reader expects is for the reader to check.
   */
  get(ref: PayloadRef, signal?: AbortSignal): Promise<unknown>;
};

export type Objects = {
  /** Where results are written: `S3_*`. */
  results: Bucket;
  /** Where the files come from: `SOURCE_S3_*`, by default the same bucket. At the same endpoint, the same breaker. */
  source: Bucket;
  /** Whether both buckets are at one store, which can copy from the one into the other. */
  isOneStore: boolean;
  /** What is too large for records, in the bucket of results. */
  payloads: Payloads;
  close(): void;
};
