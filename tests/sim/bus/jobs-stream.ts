import { BusError } from "../../../libs/bus/src/errors.ts";
import { decodeJobEvent } from "../../../libs/bus/src/job-event.ts";
import type { StoredMessage } from "../../../libs/bus/src/stored.ts";
import type { Scheduler } from "../kernel/scheduler.ts";

/** What was there since when: the newest last. */
type Slot = { message: StoredMessage | null; since: number }[];

/** Versions that a replica can still be at. */
const KEPT = 20;

/**
 * `by`: the process that wrote; `before`: what it replaced; `last`: the job's last write of all, also when `JOBS` has let
 * that go; `expectedSeq`: what it named; `ttlSeconds`: its lifetime, null = it stays.
 */
export type StoredWrite = {
  by: string;
  before: StoredMessage | null;
  last: StoredMessage | null;
  after: StoredMessage;
  expectedSeq: number;
  ttlSeconds: number | null;
};

/** The server looks for what is over now and then. */
const LATE_MS = 30;

/**
 * The stream `JOBS` as its leader has it: one message per job, guarded by the expected sequence of exactly that
 * subject, with lifetimes. Sequences never go back, also not after a message is gone.
 */
export class JobsStream {
  /** At its byte bound: what would make it larger is refused. */
  full = false;
  readonly #scheduler: Scheduler;
  readonly #slots = new Map<string, Slot>();
  readonly #last = new Map<string, StoredMessage>();
  readonly #listeners: ((write: StoredWrite) => void)[] = [];
  #lastSeq = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Told of each stored write, before anybody else hears of it. */
  onStored(listener: (write: StoredWrite) => void): void {
    this.#listeners.push(listener);
  }

  /** @throws BusError `WRONG_SEQUENCE`, `FULL` */
  append(by: string, id: string, bytes: Uint8Array, expectedSeq: number, ttlSeconds: number | undefined): number {
    const before = this.newest(id);
    if ((before?.seq ?? 0) !== expectedSeq) {
      throw new BusError("WRONG_SEQUENCE", `wrong last sequence: ${before?.seq ?? 0}`);
    }
    if (this.full && bytes.length > (before?.bytes.length ?? 0)) throw new BusError("FULL", "maximum bytes exceeded");
    const after = decodeJobEvent(bytes, ++this.#lastSeq);
    if (!after) throw new Error(`${by} wrote something to ${id} that is no job event`);
    const last = this.last(id);
    this.#replace(id, deepFreeze(after));
    this.#last.set(id, after);
    if (ttlSeconds) {
      const letGo = () => this.newest(id)?.seq === after.seq && this.#replace(id, null);
      this.#scheduler.after(ttlSeconds * 1000 + LATE_MS, letGo);
    }
    const write = { by, before, last, after, expectedSeq, ttlSeconds: ttlSeconds ?? null };
    for (const listener of this.#listeners) listener(write);
    return after.seq;
  }

  /** The job's last write, also when it is gone. Nobody but witnesses can know it. */
  last(id: string): StoredMessage | null {
    return this.#last.get(id) ?? null;
  }

  /** The last write of each job that there ever was. */
  lastOfAll(): StoredMessage[] {
    return [...this.#last.values()];
  }

  /** As the leader has it. */
  newest(id: string): StoredMessage | null {
    return this.#slots.get(id)?.at(-1)?.message ?? null;
  }

  /** As a replica has it that is so far behind. */
  asOf(id: string, behindMs: number): StoredMessage | null {
    const then = this.#scheduler.now - behindMs;
    return this.#slots.get(id)?.findLast(({ since }) => since <= then)?.message ?? null;
  }

  all(): StoredMessage[] {
    return [...this.#slots.keys()].flatMap((id) => this.newest(id) ?? []);
  }

  #replace(id: string, message: StoredMessage | null): void {
    const slot = this.#slots.get(id) ?? [];
    this.#slots.set(id, [...slot.slice(1 - KEPT), { message, since: this.#scheduler.now }]);
  }
}

/** Readers share what is stored; whoever changed it would change it for all. */
function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && !ArrayBuffer.isView(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}
