import type { JobRecord, PayloadRef, ProgressMessage, StoredRecord } from "@longhaul/contracts";
import type { Change } from "@longhaul/job";

/** A job as its newest message says, with that message's stream sequence. */
export type Stored = { seq: number; record: StoredRecord };

/**
 * `superseded`: our write was stored, and others have written since; `seq` and `record` are then theirs. `unknown`: it may
 * be stored. `unavailable`: it surely is not.
 */
export type PutResult =
  | { kind: "done"; seq: number; record: StoredRecord; superseded: boolean }
  | { kind: "conflict"; current: Stored | null }
  | { kind: "unknown" }
  | { kind: "unavailable" }
  | { kind: "full" };

/** The jobs, as a worker sees them. */
export interface Jobs {
  /** Leader read: as new as the last acknowledged write. */
  newest(id: string): Promise<Stored | null>;
  /** May be behind in a cluster: enough to claim by, never enough to drop work by. */
  direct(id: string): Promise<Stored | null>;
  put(
    id: string,
    seq: number,
    change: Change,
    options: { deadlineMs: number; ttlSeconds?: number; traceparent: string; source: string },
  ): Promise<PutResult>;
  /** Calls back with each stored write of the job, until the returned function is called. May miss some. */
  watch(id: string, onWrite: (stored: Stored) => void): () => void;
}

/** The work items, but for those that were delivered to us. */
export interface Items {
  /** Whether the item with this stream sequence is still there and is of this job. */
  alive(sequence: number, jobId: string): Promise<boolean>;
}

/** One delivery of a work item. Its answers are sent without waiting; a lost one means a redelivery. */
export interface Delivery {
  id: string;
  generation: number;
  /** Stream sequence of the item: the same for each of its deliveries. */
  sequence: number;
  /** 1 for the first delivery. */
  count: number;
  /** What the item carries: the record as it was when the item was made. */
  known: { seq: number; record: JobRecord } | null;
  ack(): void;
  nak(delayMs: number): void;
  working(): void;
}

export interface ProgressChannel {
  publish(id: string, message: ProgressMessage, traceparent: string): void;
}

/** A part of a multipart upload as the store acknowledged it. */
export type SentPart = { number: number; etag: string; crc32: string };

/** A part as the store lists it. `crc32`: null where it lists none. */
export type ListedPart = { number: number; etag: string; sizeBytes: number; crc32: string | null };

/** Where results are written. Every call has a time-out and fails with an `ObjectsError`. */
export interface ResultStore {
  /** The whole object in one request. */
  put(
    key: string,
    bytes: Uint8Array,
    options: { contentType: string; crc32: string; signal: AbortSignal },
  ): Promise<void>;
  /** Begins a multipart upload; gives its id. */
  createUpload(key: string, options: { contentType: string; signal: AbortSignal }): Promise<string>;
  /** Sends one part, number 1…10,000; gives its ETag. A part of the same number replaces the one before. */
  uploadPart(
    upload: { key: string; id: string },
    part: { number: number; bytes: Uint8Array; crc32: string },
    signal: AbortSignal,
  ): Promise<string>;
  /** Has the store make a part from an object of its own. `CONFLICT`: it is another by now. `UNSUPPORTED`: it cannot. */
  copyPart(
    upload: { key: string; id: string },
    number: number,
    from: { bucket: string; key: string; etag: string; offset: number; length: number },
    signal: AbortSignal,
  ): Promise<{ etag: string; crc32: string }>;
  /** All parts of the upload that are stored, maybe with older ones that were replaced. `NOT_FOUND`: no such upload. */
  listParts(upload: { key: string; id: string }, options: { signal: AbortSignal }): Promise<ListedPart[]>;
  /** Makes the object, of this size and CRC, of exactly these parts, in order of their numbers. `NOT_FOUND`: no such upload (any more). */
  completeUpload(
    upload: { key: string; id: string },
    parts: readonly SentPart[],
    options: { sizeBytes: number; crc32: string; signal: AbortSignal },
  ): Promise<void>;
  /** What is there under the key; null = nothing. `crc32` is null where the store keeps none. */
  head(key: string, options: { signal: AbortSignal }): Promise<{ sizeBytes: number; crc32: string | null } | null>;
}

/** Where lies what is too large for a record. Every call has a time-out and fails with an `ObjectsError`. */
export interface Payloads {
  /** Stores a value under a fresh key of the job: before the record names it, and after the job was claimed. */
  put(owner: { tenant: string; id: string }, value: unknown, signal: AbortSignal): Promise<PayloadRef>;
  /** `NOT_FOUND`: it is gone; `DAMAGED`: it is not what was put. */
  get(ref: PayloadRef, signal: AbortSignal): Promise<unknown>;
}
