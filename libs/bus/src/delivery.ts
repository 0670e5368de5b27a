import type { WorkAddress, WorkItem } from "@longhaul/contracts";

/** One delivery of a work item. The four answers go out as core messages: while disconnected they are lost, and the item comes again after ack_wait. */
type Handover = {
  subject: string;
  /** The payload as it was stored. */
  bytes: Uint8Array;
  /** Stream sequence of the item: the same on every delivery of it. */
  sequence: number;
  /** 1 on the first delivery. */
  deliveryCount: number;
  /** Milliseconds since the epoch, this process's clock. */
  receivedAt: number;
  /** W3C Trace Context of whoever sent the item. */
  traceparent: string | null;
  /** Done: the item is removed. */
  ack(): void;
  /** Not now: deliver it again after `delayMs` milliseconds. */
  nak(delayMs: number): void;
  /** Still at it: ack_wait begins anew. */
  working(): void;
  /** Never again: the item is removed without having been done. */
  term(reason: string): void;
};

/** `item` is null when nobody can read the message, or when it does not belong to its subject. */
export type Delivery = Handover & ({ item: WorkItem; address: WorkAddress } | { item: null; address: null });
