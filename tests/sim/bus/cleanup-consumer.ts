import type { Batch, BatchReader, StoredMessage } from "@longhaul/bus";
import type { Process } from "../kernel/process.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Connection } from "./connection.ts";
import type { JobsStream } from "./jobs-stream.ts";

const TIMEOUT_MS = 5_000;
const AFTER_FAILURE_MS = 1_000;

type Pending = { seq: number; dueAt: number };

/** The durable consumer `cleanup` of `JOBS`: the newest message of each job, until it is acknowledged. */
export class CleanupConsumer {
  readonly #jobs: JobsStream;
  readonly #scheduler: Scheduler;
  readonly #ackWaitMs: number;
  readonly #pending = new Map<string, Pending>();
  #waiting: (() => void)[] = [];

  constructor(jobs: JobsStream, scheduler: Scheduler, ackWaitMs: number) {
    this.#jobs = jobs;
    this.#scheduler = scheduler;
    this.#ackWaitMs = ackWaitMs;
    jobs.onStored(({ after }) => {
      this.#pending.set(after.record.id, { seq: after.seq, dueAt: 0 });
      this.#wake();
    });
  }

  reader(connection: Connection, onAck: (done: StoredMessage[]) => void): BatchReader {
    const next = async (max: number, signal: AbortSignal): Promise<Batch> => {
      const { process } = connection;
      for (;;) {
        signal.throwIfAborted();
        const take = () => this.#take(max);
        const items = await connection.request("", "cleanup's pull", TIMEOUT_MS, take).catch(() => null);
        if (items === null) await process.clock.sleep(AFTER_FAILURE_MS, signal);
        else if (items.length === 0) await this.#arrival(process);
        else return this.#batch(items, max, connection, onAck);
      }
    };
    return { next, close: () => Promise.resolve() };
  }

  #batch(items: StoredMessage[], max: number, connection: Connection, onAck: (done: StoredMessage[]) => void): Batch {
    return {
      items,
      full: items.length === max,
      ack: ({ but } = { but: new Set() }) => {
        const done = items.filter((item) => !but.has(item));
        onAck(done);
        for (const { record, seq } of done) {
          connection.send(record.id, `cleanup's ack of ${seq}`, () => {
            if (this.#pending.get(record.id)?.seq === seq) this.#pending.delete(record.id);
          });
        }
      },
    };
  }

  #take(max: number): StoredMessage[] {
    const { now } = this.#scheduler;
    const taken: StoredMessage[] = [];
    for (const [id, pending] of this.#pending) {
      if (taken.length === max) break;
      const newest = this.#jobs.newest(id);
      if (newest === null) this.#pending.delete(id);
      if (newest === null || pending.dueAt > now) continue;
      pending.dueAt = now + this.#ackWaitMs;
      this.#scheduler.after(this.#ackWaitMs, () => this.#pending.has(id) && this.#wake());
      taken.push(newest);
    }
    return taken;
  }

  #arrival(process: Process): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(() => process.run(resolve)));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
