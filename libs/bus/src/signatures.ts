import type { JobClass, JobRecord, ProgressMessage, StoredRecord } from "@longhaul/contracts";
import type { Change } from "@longhaul/job";
import type { Clock, Logger, Random } from "@longhaul/runtime";
import type { Delivery } from "./delivery.ts";
import type { Stored, StoredMessage } from "./stored.ts";

// connect.ts
export type BusOptions = {
  servers: string[];
  name: string;
  credsFile?: string | undefined;
  caFile?: string | undefined;
  log: Logger;
  /** How long a process waits for its first connection, milliseconds; default 30,000. */
  bootTimeoutMs?: number;
};
export type BusStatus = "connected" | "disconnected";
export type Bus = {
  /** For `libs/bus` itself only. */
  readonly nc: unknown;
  readonly requests: unknown;
  connected(): boolean;
  /** Calls back on each change; the returned function ends that. */
  onStatus(callback: (status: BusStatus) => void): () => void;
  /** Round trip to the server and back, milliseconds. For health checks. */
  ping(timeoutMs: number): Promise<number>;
  /** Sends what is buffered, then closes; within `timeoutMs` in any case. */
  close(timeoutMs?: number): Promise<void>;
};
export declare function connectBus(options: BusOptions): Promise<Bus>;

// topology.ts
export type TopologySettings = { replicas: 1 | 3 | 5; jobsMaxBytes: number; ackWaitMs: number };
/** `up` tells in words what it changed; nothing to change = an empty list. */
export type BusMigration = { id: number; name: string; up(bus: Bus, settings: TopologySettings): Promise<string[]> };
export declare const busMigrations: readonly BusMigration[];
/** @throws TopologyMissing (a BootError, code `TOPOLOGY_MISSING`) whose message says what is missing and to run `npm run migrate` */
export declare function assertTopology(bus: Bus, expected: { ackWaitMs: number }): Promise<void>;

// put-once.ts
export type PutOptions = {
  /** How long to try, milliseconds. */
  deadlineMs: number;
  /** Lifetime of an end in `JOBS`; absent = stays. */
  ttlSeconds?: number | undefined;
  traceparent: string;
  /** CloudEvents source, such as `/longhaul/gateway`. */
  source: string;
};
/**
 * - `done`: the write is stored. `seq` and `record` are the job's newest; when `superseded`, others have written since and
 *   `record` is theirs: whoever goes on has to decide anew (a worker: it is fenced).
 * - `conflict`: another writer was first. `current` is the newest; null = there is nothing (any more): load again.
 * - `unknown`: nobody answered until the deadline; the write may be stored, or still become so.
 * - `full`: not stored, `JOBS` is at its bound. Transient.
 */
export type PutResult =
  | { kind: "done"; seq: number; record: StoredRecord; superseded: boolean }
  | { kind: "conflict"; current: Stored | null }
  | { kind: "unknown" }
  | { kind: "full" };
/** Replaces the write with sequence `seq` (0 = there must be none) by `change`. */
export type PutOnce = (id: string, seq: number, change: Change, options: PutOptions) => Promise<PutResult>;

// job-store.ts
export type JobStore = {
  /** Newest record by leader read: what decisions are based on. null = no such job in `JOBS`. @throws BusError */
  newest(id: string): Promise<Stored | null>;
  /** Newest record from any replica: may be a moment old. @throws BusError */
  direct(id: string): Promise<Stored | null>;
  /** Newest records of at most 100 jobs in one request (any replica); those that are not there are missing. @throws BusError */
  newestOf(ids: readonly string[]): Promise<Stored[]>;
  put: PutOnce;
  /** Last sequence that `JOBS` has given out. @throws BusError */
  lastSequence(): Promise<number>;
};
export type JobStoreOptions = { clock: Clock; random: Random; log: Logger /** of one read */; timeoutMs: number };
export declare function createJobStore(bus: Bus, options: JobStoreOptions): JobStore;

// work-queue.ts
export type WorkQueue = {
  /** Puts the work item of the record's generation; `seq` = the record's sequence (the item then carries the record), null = a bare hint. @throws BusError */
  enqueue(record: JobRecord, seq: number | null, traceparent?: string): Promise<"sent" | "present">;
  /** The same without waiting: failed sends are repeated in the background, a few times. */
  send(record: JobRecord, seq: number | null, traceparent?: string): void;
  /** Whether the item with this sequence still is in `WORK` and belongs to this job. @throws BusError */
  itemAlive(seq: number, id: string): Promise<boolean>;
  /** Copies a message that nobody can read to `DEADLETTERS`; resolves when it is stored there. @throws BusError */
  deadLetter(message: { subject: string; bytes: Uint8Array; reason: string }): Promise<void>;
};
export type WorkQueueOptions = { clock: Clock; random: Random; log: Logger; timeoutMs: number };
export declare function createWorkQueue(bus: Bus, options: WorkQueueOptions): WorkQueue;

// work-puller.ts
export type Puller = {
  /** Deliveries that are being worked on. */
  running(): number;
  readonly slots: number;
  /** Pulls no more; what arrives all the same is handed back. Running ones are the caller's. */
  stop(): Promise<void>;
};
/** A slot is taken from the delivery until the promise of `onItem` settles. */
export type PullerOptions = {
  slotsPerClass: Readonly<Record<JobClass, number>>;
  onItem(delivery: Delivery): Promise<void>;
  log: Logger;
};
export declare function startPuller(bus: Bus, options: PullerOptions): Puller;

// consumer.ts
export type Batch = {
  /** Oldest first. Messages that nobody can read are acknowledged, logged and left out. */
  items: StoredMessage[];
  /** As many as were asked for: there probably are more. */
  full: boolean;
  ack(): void;
};
export type BatchReader = {
  /** Waits for at least one message, then takes what is there, at most `max`. Rejects with the signal's reason. Survives reconnects. */
  next(max: number, signal: AbortSignal): Promise<Batch>;
  close(): Promise<void>;
};
export declare function openBatches(bus: Bus, options: { durable: "projector"; log: Logger }): BatchReader;

// core.ts — not stored: lost while disconnected, so nothing that matters depends on one
export type Subscription = { close(): void };
export type PushMessage =
  | { kind: "stored"; id: string; stored: StoredMessage }
  | { kind: "progress"; id: string; message: ProgressMessage };
export type CoreMessages = {
  publishProgress(id: string, message: ProgressMessage, traceparent: string): void;
  pushStored(userHash: string, stored: StoredMessage): void;
  /** The user hash is in the message. */
  pushProgress(id: string, message: ProgressMessage, traceparent: string | null): void;
  /** Each stored write of one job, or (`*`) of all. */
  subscribeStored(id: string, handler: (stored: StoredMessage) => void, options?: { queue?: string }): Subscription;
  subscribeProgress(
    handler: (id: string, message: ProgressMessage, traceparent: string | null) => void,
    options?: { queue?: string },
  ): Subscription;
  /** Whatever is pushed about one job. */
  subscribePush(id: string, handler: (push: PushMessage) => void): Subscription;
};
export declare function createCore(bus: Bus, log: Logger): CoreMessages;
