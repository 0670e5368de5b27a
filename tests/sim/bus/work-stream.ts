import type { WorkItem } from "@longhaul/contracts";
import { BusError } from "../../../libs/bus/src/errors.ts";
import type { Scheduler, Timer } from "../kernel/scheduler.ts";

/** What a delivery brings: the item, and which delivery of it this is. */
export type Handed = { sequence: number; count: number; item: WorkItem };

type Entry = {
  sequence: number;
  subject: string;
  item: WorkItem;
  deliveries: number;
  /** Waits to be delivered; false = somebody has it until the timer strikes. */
  waiting: boolean;
  timer: Timer | null;
};

/** A pull request for one item. */
export type Pull = { deliver(handed: Handed): void };

/**
 * The stream `WORK` with one consumer: one item per subject, refused while there is one; explicit acks, redelivery after
 * ack_wait, no bound on deliveries. An answer through the reply subject of an old delivery acts on the newest, as
 * nats-server does it: an ack removes the item, a nak sends it to the next, a working puts its redelivery off.
 */
export class WorkStream {
  readonly #scheduler: Scheduler;
  readonly #ackWaitMs: number;
  readonly #entries = new Map<number, Entry>();
  readonly #pulls: Pull[] = [];
  readonly #goneListeners: ((sequence: number, item: WorkItem) => void)[] = [];
  #lastSequence = 0;

  constructor(scheduler: Scheduler, ackWaitMs: number) {
    this.#scheduler = scheduler;
    this.#ackWaitMs = ackWaitMs;
  }

  /** Told of each item that is removed. */
  onGone(listener: (sequence: number, item: WorkItem) => void): void {
    this.#goneListeners.push(listener);
  }

  /** @returns the item's sequence. @throws BusError `FULL` while the subject has an item */
  put(subject: string, item: WorkItem): number {
    for (const entry of this.#entries.values()) {
      if (entry.subject === subject) throw new BusError("FULL", "maximum messages per subject exceeded");
    }
    const sequence = ++this.#lastSequence;
    this.#entries.set(sequence, { sequence, subject, item, deliveries: 0, waiting: true, timer: null });
    this.#deliver();
    return sequence;
  }

  /** Waits for an item; gives the request's withdrawal. */
  pull(pull: Pull): () => void {
    this.#pulls.push(pull);
    this.#deliver();
    return () => {
      const at = this.#pulls.indexOf(pull);
      if (at >= 0) this.#pulls.splice(at, 1);
    };
  }

  ack(sequence: number): void {
    const entry = this.#entries.get(sequence);
    if (!entry) return;
    entry.timer?.cancel();
    this.#entries.delete(sequence);
    for (const listener of this.#goneListeners) listener(sequence, entry.item);
  }

  nak(sequence: number, delayMs: number): void {
    const entry = this.#entries.get(sequence);
    if (entry && !entry.waiting) this.#redeliverAfter(entry, delayMs);
  }

  working(sequence: number): void {
    const entry = this.#entries.get(sequence);
    if (entry && !entry.waiting) this.#redeliverAfter(entry, this.#ackWaitMs);
  }

  /** Subject of the item with this sequence; null = it is gone. */
  subjectOf(sequence: number): string | null {
    return this.#entries.get(sequence)?.subject ?? null;
  }

  /** Removes one item of the job, also one in flight; false = there is none. */
  removeOne(id: string): boolean {
    const entry = [...this.#entries.values()].find(({ item }) => item.id === id);
    if (entry) this.ack(entry.sequence);
    return entry !== undefined;
  }

  all(): { sequence: number; item: WorkItem }[] {
    return [...this.#entries.values()];
  }

  #redeliverAfter(entry: Entry, ms: number): void {
    entry.timer?.cancel();
    entry.timer = this.#scheduler.after(ms, () => {
      entry.waiting = true;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.waiting) continue;
      const pull = this.#pulls.shift();
      if (!pull) return;
      entry.waiting = false;
      entry.deliveries++;
      this.#redeliverAfter(entry, this.#ackWaitMs);
      pull.deliver({ sequence: entry.sequence, count: entry.deliveries, item: entry.item });
    }
  }
}
