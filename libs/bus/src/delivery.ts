import { parseWorkSubject, type WorkAddress, type WorkItem, workItem } from "@longhaul/contracts";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { AckSubject } from "./ack-subject.ts";
import { publishCore } from "./core-publish.ts";
import { HEADERS, readHeader } from "./headers.ts";
import { parseJson } from "./job-event.ts";

/** The four answers go out as core messages: while disconnected they are lost, and the item comes again after ack_wait. */
type Handover = {
  subject: string;
  /** The payload as it was stored. */
  bytes: Uint8Array;
  /** Stream sequence of the item: the same on every delivery of it. */
  sequence: number;
  /** 1 on the first delivery. */
  deliveryCount: number;
  /** Milliseconds since the epoch, by this process's clock. */
  receivedAt: number;
  /** W3C Trace Context of whoever sent the item. */
  readonly traceparent: string | null;
  /** Done: the item is removed. */
  ack(): void;
  /** Not now: deliver it again after `delayMs` milliseconds. */
  nak(delayMs: number): void;
  /** Still at it: ack_wait begins anew. */
  working(): void;
  /** Never again: the item is removed without having been done. */
  term(reason: string): void;
};

/** One delivery of a work item. `item` is null when nobody can read the message, or when it is not of its subject. */
export type Delivery = Handover & ({ item: WorkItem; address: WorkAddress } | { item: null; address: null });

export function createDelivery(nc: NatsConnection, message: Msg, reply: string, ack: AckSubject): Delivery {
  return {
    ...content(message),
    subject: message.subject,
    bytes: message.data,
    sequence: ack.sequence,
    deliveryCount: ack.deliveryCount,
    receivedAt: Date.now(),
    // Read when it is asked for: the client takes the headers apart only then.
    get traceparent() {
      return readHeader(message.headers, HEADERS.traceparent);
    },
    ack: () => publishCore(nc, reply),
    nak: (delayMs) => nak(nc, reply, delayMs),
    working: () => publishCore(nc, reply, "+WPI"),
    term: (reason) => publishCore(nc, reply, `+TERM ${reason}`),
  };
}

/** Never without a delay: a bare nak is delivered again at once. */
export function nak(nc: NatsConnection, reply: string, delayMs: number): void {
  publishCore(nc, reply, `-NAK {"delay":${Math.max(1, Math.round(delayMs)) * 1_000_000}}`);
}

function content(message: Msg): { item: WorkItem; address: WorkAddress } | { item: null; address: null } {
  const address = parseWorkSubject(message.subject);
  const item = workItem.safeParse(parseJson(message.data)).data;
  if (!item || item.id !== address?.id || item.generation !== address.generation) return { item: null, address: null };
  return { item, address };
}
