import { type JobClass, STREAMS } from "@longhaul/contracts";
import type { Logger } from "@longhaul/runtime";
import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import { type AckSubject, parseAckSubject } from "./ack-subject.ts";
import type { Bus } from "./connect.ts";
import { publishCore } from "./core-publish.ts";
import { createDelivery, type Delivery, nak } from "./delivery.ts";
import { STATUS, WAIT, waiting, whatIsThere } from "./pull-request.ts";
import { idleLanes, type PulledLane } from "./pulled-lane.ts";
import { allotSlots, freeSlots, lastFifth, mayTake, rampedSlots, type SlotsPerClass, totalSlots } from "./slots.ts";

export type Puller = {
  /** Deliveries that are being worked on. */
  running(): number;
  readonly slots: number;
  /** Pulls nothing until `resume`; what arrives all the same is handed back. What runs goes on. */
  pause(): void;
  /** Goes on, with few slots at first: see `rampedSlots`. */
  resume(): void;
  /** Pulls no more; what arrives all the same is handed back. What runs is the caller's to end. */
  stop(): Promise<void>;
};

export type PullerOptions = {
  slotsPerClass: Readonly<Record<JobClass, number>>;
  /** The slot is taken until this settles. It should not reject; a rejection is logged and the item comes again after ack_wait. */
  onItem(delivery: Delivery): Promise<void>;
  log: Logger;
};

/** Between two looks into an idle lane that is not worth a waiting request. */
const POLL_MS = 100;
/** After a refusal (no leader, consumer missing) before the lane is asked again. */
const REFUSED_MS = 500;
/** Requests are planned together this long after an event, so that a burst makes one of them. */
const GATHER_MS = 1;
const TICK_MS = 100;
/** What could not be started comes again after this time, here or at another worker. */
const HAND_BACK_MS = 250;

/**
 * One dispatcher over the six lanes of `WORK`. Items asked for and items being worked on together are never more than
 * the slots, so no item waits in a worker with its ack_wait running. A lane has at most one request open: an idle one a
 * probe for a single item that waits at the server, one with a backlog (deliveries tell how much is left) a request
 * that is answered at once, as large as its part of the free slots.
 */
export function startPuller(bus: Bus, options: PullerOptions): Puller {
  const dispatcher = new Dispatcher(bus, options);
  dispatcher.start();
  return dispatcher;
}

class Dispatcher implements Puller {
  readonly slots: number;
  readonly #bus: Bus;
  readonly #slotsPerClass: SlotsPerClass;
  readonly #onItem: PullerOptions["onItem"];
  readonly #log: Logger;
  readonly #lanes: PulledLane[];
  #inbox = "";
  #subscription: Subscription | null = null;
  #requests = 0;
  #planned: NodeJS.Timeout | null = null;
  #tick: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;
  #state: "pulling" | "paused" | "stopped" = "pulling";
  #resumedAt = Number.NEGATIVE_INFINITY;

  constructor(bus: Bus, { slotsPerClass, onItem, log }: PullerOptions) {
    this.slots = totalSlots(slotsPerClass);
    this.#bus = bus;
    this.#slotsPerClass = slotsPerClass;
    this.#onItem = onItem;
    this.#log = log;
    this.#lanes = idleLanes();
  }

  start(): void {
    this.#unlisten = this.#bus.onStatus((status) => (status === "connected" ? this.#open() : this.#lost()));
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#open();
  }

  running(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.running, 0);
  }

  pause(): void {
    if (this.#state === "pulling") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "pulling";
    this.#resumedAt = performance.now();
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#unlisten?.();
    clearInterval(this.#tick);
    if (this.#planned) clearTimeout(this.#planned);
    // The drain lets through what is on its way, to be handed back; without a connection nothing is.
    if (this.#bus.connected()) await this.#subscription?.drain().catch(() => {});
    else this.#subscription?.unsubscribe();
  }

  /** A fresh inbox for each connection: requests of the one before must not be answered into this one. */
  #open(): void {
    this.#subscription?.unsubscribe();
    this.#inbox = `${createInbox()}.`;
    this.#subscription = this.#bus.nc.subscribe(`${this.#inbox}*`, {
      callback: (_, message) => this.#onMessage(message),
    });
    this.#plan();
  }

  /** The server forgets the requests of a connection that broke. */
  #lost(): void {
    for (const lane of this.#lanes) this.#release(lane, 0);
  }

  #onTick(): void {
    const now = performance.now();
    for (const lane of this.#lanes) {
      if (lane.request === null || now - lane.heardAt < WAIT.silenceMs) continue;
      this.#log.debug({ lane: lane.consumer }, "a pull request was lost, asking again");
      this.#release(lane, 0);
    }
    this.#plan();
  }

  #onMessage(message: Msg): void {
    if (message.reply) this.#onDelivery(message, message.reply);
    else this.#onStatus(message);
  }

  #onStatus(message: Msg): void {
    const lane = this.#lanes.find((candidate) => candidate.request === message.subject);
    if (!lane) return;
    lane.heardAt = performance.now();
    switch (message.headers?.code) {
      case STATUS.heartbeat:
        break;
      case STATUS.noMessages:
        lane.pending = 0;
        this.#release(lane, 0);
        break;
      case STATUS.expired:
        this.#release(lane, 0);
        break;
      default:
        this.#log.warn({ lane: lane.consumer, status: message.headers?.status }, "a pull was refused, asking again");
        this.#release(lane, REFUSED_MS);
    }
  }

  #onDelivery(message: Msg, reply: string): void {
    const ack = parseAckSubject(reply);
    const lane = this.#lanes.find((candidate) => candidate.consumer === ack?.consumer);
    if (!ack || !lane) return;
    lane.pending = ack.pending;
    lane.heardAt = performance.now();
    const asked = lane.asked > 0;
    if (asked) lane.asked--;
    if (lane.asked === 0) lane.request = null;
    // An answer to a request that was given up as lost was not counted: it may find no slot.
    const unwanted = this.#state !== "pulling" || (!asked && freeSlots(this.#lanes, this.#slotsPerClass) < 1);
    if (unwanted) nak(this.#bus.nc, reply, HAND_BACK_MS);
    else void this.#work(lane, message, reply, ack);
    this.#plan();
  }

  async #work(lane: PulledLane, message: Msg, reply: string, ack: AckSubject): Promise<void> {
    lane.running++;
    try {
      await this.#onItem(createDelivery(this.#bus.nc, message, reply, ack));
    } catch (error) {
      this.#log.error({ subject: message.subject, sequence: ack.sequence, err: error }, "working on an item failed");
    } finally {
      lane.running--;
      this.#plan();
    }
  }

  #release(lane: PulledLane, pauseMs: number): void {
    lane.asked = 0;
    lane.request = null;
    lane.notBefore = Math.max(lane.notBefore, performance.now() + pauseMs);
    this.#plan();
  }

  #plan(): void {
    if (this.#planned || this.#state !== "pulling") return;
    this.#planned = setTimeout(() => {
      this.#planned = null;
      if (this.#bus.connected() && this.#state === "pulling") this.#ask();
    }, GATHER_MS);
  }

  /** Probes come first, so that no backlog hides what arrives in an idle lane. */
  #ask(): void {
    const now = performance.now();
    const pressed = this.#lanes.some((lane) => lane.pending > 0);
    const slots = rampedSlots(this.#slotsPerClass, now - this.#resumedAt);
    for (const lane of this.#lanes) {
      if (lane.request !== null || lane.pending > 0 || lane.notBefore > now) continue;
      if (mayTake(lane, this.#lanes, slots)) this.#probe(lane, slots, pressed, now);
    }
    for (const [state, items] of allotSlots(this.#lanes, slots)) {
      const lane = this.#lanes.find((candidate) => candidate === state);
      if (lane && lane.notBefore <= now) this.#request(lane, items, whatIsThere(items));
    }
  }

  /**
   * A waiting probe holds a slot. That is fine while there are plenty or where the slot is kept for this lane anyway;
   * else the lane is only looked into now and then.
   */
  #probe(lane: PulledLane, slots: SlotsPerClass, pressed: boolean, now: number): void {
    const keptAnyway = lane.lane === "fast" && lastFifth(slots[lane.class]) > 0;
    const plenty = totalSlots(slots) >= 2 * this.#lanes.length;
    if (plenty && (keptAnyway || !pressed)) {
      this.#request(lane, 1, waiting(1));
    } else {
      lane.notBefore = now + POLL_MS;
      this.#request(lane, 1, whatIsThere(1));
    }
  }

  #request(lane: PulledLane, batch: number, query: string): void {
    lane.asked = batch;
    lane.request = this.#inbox + (this.#requests++).toString(36);
    lane.heardAt = performance.now();
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.work}.${lane.consumer}`;
    publishCore(this.#bus.nc, subject, query, { reply: lane.request });
  }
}
