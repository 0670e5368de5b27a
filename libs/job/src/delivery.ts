import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { isLive, isOver } from "./end.ts";
import { LONGEST_WAIT_MS } from "./settle.ts";

/** The work item in hand: its stream sequence and the generation that it is for. */
export type ItemInHand = { sequence: number; generation: number };

/**
 * `otherItemAlive`: the item of the run that the record shows is another than ours and still in `WORK`.
 * `maxCrashes`: how many runs may die without progress.
 */
export type DeliveryFacts = { now: Date; otherItemAlive: boolean; maxCrashes: number };

export type DeliveryVerdict =
  | { do: "ack" }
  | { do: "nak"; delayMs: number }
  | { do: "claim" }
  | { do: "take-over" }
  | { do: "dead-letter" };

/**
 * What to do with a delivered item, given the job as it was read (null: no record). The record decides; the item is a
 * hint. An `ack` may only follow a leader read: on a stale copy it could drop the last hint to a living job.
 */
export function onDelivery(seen: StoredRecord | null, item: ItemInHand, facts: DeliveryFacts): DeliveryVerdict {
  if (seen === null || !isLive(seen) || isDone(seen, item)) return { do: "ack" };
  const waitMs = seen.retryAt === null ? 0 : Date.parse(seen.retryAt) - facts.now.getTime();
  if (waitMs > 0) return { do: "nak", delayMs: Math.min(waitMs, LONGEST_WAIT_MS) };
  if (seen.run === null) return { do: "claim" };
  if (seen.run.item !== item.sequence && facts.otherItemAlive) return { do: "ack" };
  return { do: seen.crashes + 1 >= facts.maxCrashes ? "dead-letter" : "take-over" };
}

/**
 * What a fenced run does with its item, after a leader read. It acks only where the job is sure to need this item no
 * more. In every other case it leaves it alone: the successor may hold a delivery of the same item, which an ack of the
 * older one would delete.
 */
export function onFenced(
  seen: StoredRecord | null,
  item: ItemInHand,
  facts: Pick<DeliveryFacts, "otherItemAlive">,
): "ack" | "leave" {
  if (seen === null) return "leave";
  if (!isLive(seen) || isDone(seen, item)) return "ack";
  return seen.run !== null && seen.run.item !== item.sequence && facts.otherItemAlive ? "ack" : "leave";
}

/** Nothing is to be done for the item's generation. */
function isDone(seen: JobRecord, item: ItemInHand): boolean {
  return seen.generation > item.generation || isOver(seen);
}
