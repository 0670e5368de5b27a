import { STREAMS } from "@longhaul/contracts";
import { backoffMs, type Logger, systemClock, systemRandom } from "@longhaul/runtime";
import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import { parseAckSubject } from "./ack-subject.ts";
import type { Bus } from "./connect.ts";
import { publishCore } from "./core-publish.ts";
import { nak } from "./delivery.ts";
import { decodeJobEvent } from "./job-event.ts";
import { STATUS, WAIT, waiting, whatIsThere } from "./pull-request.ts";
import type { StoredMessage } from "./stored.ts";

export type Batch = {
  /** Oldest first. Messages that nobody can read are acknowledged, logged and left out. */
  items: StoredMessage[];
  /** As many as were asked for: there probably are more. */
  full: boolean;
  /**
   * Call it when the batch was worked on; without it the messages come again after ack_wait. With `but`, those come
   * again and the others do not.
   */
  ack(options?: { but: ReadonlySet<StoredMessage> }): void;
};

export type BatchReader = {
  /**
   * Waits for at least one message, then takes what is there, at most `max`. Goes on over reconnects. One call at a time.
   * @throws the signal's reason as soon as the signal is aborted
   */
  next(max: number, signal: AbortSignal): Promise<Batch>;
  /** Gives back at once what was received and not acknowledged: it need not wait for the end of ack_wait. */
  close(): Promise<void>;
};

/** Durable consumers of `JOBS`. */
export type JobsConsumer = "projector" | "cleanup";

const AFTER_REFUSAL = { baseMs: 250, maxMs: 2_000 };
const TICK_MS = 250;
/** What a closing reader gives back goes to the next one after so long. */
const HAND_BACK_MS = 100;

/** How a pull ended: all that was asked for, no more there, refused by the server, or nobody knows. */
type End = "complete" | "empty" | "refused" | "lost";

type Pull = { reply: string; left: number; heardAt: number; end(how: End): void };

/** Reads a durable consumer of `JOBS` in batches. Several readers, also of other processes, share its messages. */
export function openBatches(bus: Bus, options: { durable: JobsConsumer; log: Logger }): BatchReader {
  return new JobsReader(bus, options.durable, options.log);
}

class JobsReader implements BatchReader {
  readonly #bus: Bus;
  readonly #durable: JobsConsumer;
  readonly #log: Logger;
  readonly #unlisten: () => void;
  readonly #tick: NodeJS.Timeout;
  #inbox = "";
  #subscription: Subscription | null = null;
  #pulls = 0;
  #pull: Pull | null = null;
  #received: Msg[] = [];
  /** Reply subjects of what was handed out in batches that were not acknowledged yet. */
  readonly #inHand = new Set<string>();
  /** The last look found nothing more: waiting comes first. */
  #drained = false;

  constructor(bus: Bus, durable: JobsConsumer, log: Logger) {
    this.#bus = bus;
    this.#durable = durable;
    this.#log = log;
    this.#unlisten = bus.onStatus((status) => (status === "connected" ? this.#open() : this.#pull?.end("lost")));
    this.#tick = setInterval(() => this.#checkSilence(), TICK_MS);
    this.#open();
  }

  async next(max: number, signal: AbortSignal): Promise<Batch> {
    for (let refusals = 0; ; ) {
      signal.throwIfAborted();
      const end = await this.#fill(max, signal);
      signal.throwIfAborted();
      if (this.#received.length > 0) return this.#take(max);
      refusals = end === "empty" ? 0 : refusals + 1;
      if (refusals > 0) await systemClock.sleep(backoffMs(refusals, AFTER_REFUSAL, systemRandom.unit()), signal);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#tick);
    this.#unlisten();
    this.#pull?.end("lost");
    if (this.#bus.connected()) await this.#subscription?.drain().catch(() => {});
    else this.#subscription?.unsubscribe();
    for (const { reply } of this.#received.splice(0)) if (reply) this.#inHand.add(reply);
    for (const reply of this.#inHand) nak(this.#bus.nc, reply, HAND_BACK_MS);
    this.#inHand.clear();
  }

  /** What is there now; when that is nothing, the next message, and whatever else is there by then. */
  async #fill(max: number, signal: AbortSignal): Promise<End> {
    if (!this.#drained) {
      const end = await this.#request(max - this.#received.length, "what is there", signal);
      if (this.#received.length > 0 || end !== "empty") return end;
    }
    const end = await this.#request(1, "wait", signal);
    if (end !== "complete" || max === 1) return end;
    return await this.#request(max - this.#received.length, "what is there", signal);
  }

  async #request(batch: number, how: "what is there" | "wait", signal: AbortSignal): Promise<End> {
    if (batch < 1) return "complete";
    if (!this.#bus.connected()) return "lost";
    const { promise, resolve } = Promise.withResolvers<End>();
    const pull = { reply: `${this.#inbox}${this.#pulls++}`, left: batch, heardAt: performance.now(), end: resolve };
    const onAbort = () => resolve("lost");
    signal.addEventListener("abort", onAbort, { once: true });
    this.#pull = pull;
    const query = how === "wait" ? waiting(batch) : whatIsThere(batch);
    publishCore(this.#bus.nc, `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.jobs}.${this.#durable}`, query, {
      reply: pull.reply,
    });
    const end = await promise;
    signal.removeEventListener("abort", onAbort);
    this.#pull = null;
    this.#drained = end === "empty";
    return end;
  }

  #onMessage(message: Msg): void {
    const pull = this.#pull;
    if (pull) pull.heardAt = performance.now();
    if (message.reply) {
      // Also what a request brings that was given up as lost: it was delivered, so it is worked on.
      this.#received.push(message);
      if (pull && --pull.left === 0) pull.end("complete");
    } else if (pull?.reply === message.subject) {
      this.#onStatus(pull, message);
    }
  }

  #onStatus(pull: Pull, { headers }: Msg): void {
    const code = headers?.code;
    if (code === STATUS.heartbeat) return;
    const empty = code === STATUS.noMessages || code === STATUS.expired;
    if (!empty)
      this.#log.warn({ consumer: this.#durable, status: headers?.status }, "a pull was refused, asking again");
    pull.end(empty ? "empty" : "refused");
  }

  #take(max: number): Batch {
    const messages = this.#received.splice(0, max);
    const items: StoredMessage[] = [];
    const replies = new Map<string, StoredMessage | null>();
    for (const { data, subject, reply = "" } of messages) {
      const seq = parseAckSubject(reply)?.sequence ?? 0;
      const stored = decodeJobEvent(data, seq);
      if (reply) {
        replies.set(reply, stored);
        this.#inHand.add(reply);
      }
      if (stored) items.push(stored);
      else this.#log.error({ subject, seq, consumer: this.#durable }, "left out an unreadable message of JOBS");
    }
    const ack: Batch["ack"] = ({ but } = { but: new Set() }) => {
      for (const [reply, stored] of replies) {
        // What was given back is somebody else's.
        if (this.#inHand.delete(reply) && (!stored || !but.has(stored))) publishCore(this.#bus.nc, reply);
      }
    };
    return { items, full: messages.length === max, ack };
  }

  /** A fresh inbox for each connection: pulls of the one before must not be answered into this one. */
  #open(): void {
    this.#subscription?.unsubscribe();
    this.#inbox = `${createInbox()}.`;
    this.#subscription = this.#bus.nc.subscribe(`${this.#inbox}*`, {
      callback: (_, message) => this.#onMessage(message),
    });
  }

  #checkSilence(): void {
    if (this.#pull && performance.now() - this.#pull.heardAt > WAIT.silenceMs) this.#pull.end("lost");
  }
}
