import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { claim, type DeliveryVerdict, deadLettered, isLive, onDelivery, resultKey, takeOver } from "@longhaul/job";
import type { Logger } from "@longhaul/runtime";
import type { DeliverySlot } from "./delivery-slot.ts";
import { HeldJob, type HeldJobDeps, occasion, putUntilDeadline } from "./held-job.ts";
import type { Delivery, Items, Stored } from "./ports.ts";

/** Rounds of reading and writing before a contested item is left for its next delivery. */
const MAX_ROUNDS = 10;
/** An item that could not be decided comes again after this time. */
const UNDECIDED_NAK_MS = 2_000;

export type AdmissionDeps = HeldJobDeps & {
  items: Items;
  log: Logger;
  worker: string;
  maxCrashes: number;
  /** Whether the job's result will lie under a key of its own, which the claim then names. */
  ownsResult(record: JobRecord): boolean;
};

/**
 * Decides what a delivery of a work item means and does it, short of the work itself: acks it, delays it, ends the
 * job as a dead letter, or claims the job. Returns the claimed job, null when there is nothing to run.
 *
 * Only a run that the first look showed may be taken over: a run that appears while we claim is somebody's healthy one.
 */
export async function admit(delivery: Delivery, slot: DeliverySlot, deps: AdmissionDeps): Promise<HeldJob | null> {
  const { id } = delivery;
  let seen = await firstLook(delivery, deps);
  const firstRun = runOf(seen.stored);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const run = runOf(seen.stored);
    if (round > 0 && run !== null && run !== firstRun) return null;
    const verdict = await judge(seen.stored, delivery, deps);
    if (verdict.do === "nak") {
      slot.nak(verdict.delayMs);
      return null;
    }
    if (verdict.do === "ack") {
      if (seen.certain) {
        slot.ack();
        return null;
      }
      seen = { stored: await deps.jobs.newest(id), certain: true };
      continue;
    }
    const base = seen.stored;
    if (base === null || !isLive(base.record)) throw new Error("a job that is not there cannot be claimed");
    const result = await writeVerdict(verdict.do, base.seq, base.record, delivery, deps);
    if (result.kind === "conflict") {
      seen = { stored: result.current, certain: true };
      continue;
    }
    if (result.kind !== "done") return null;
    if (result.superseded || !isLive(result.record)) {
      seen = { stored: result, certain: true };
      continue;
    }
    if (verdict.do === "dead-letter") {
      slot.ack();
      return null;
    }
    return new HeldJob(deps, result.seq, result.record);
  }
  slot.nak(UNDECIDED_NAK_MS);
  return null;
}

/** The first delivery is judged by what the item carries, without a read; a sweep's item and a redelivery by a read. */
async function firstLook(
  delivery: Delivery,
  deps: AdmissionDeps,
): Promise<{ stored: Stored | null; certain: boolean }> {
  if (delivery.count === 1 && delivery.known !== null) return { stored: delivery.known, certain: false };
  return { stored: await deps.jobs.direct(delivery.id), certain: false };
}

async function judge(stored: Stored | null, delivery: Delivery, deps: AdmissionDeps): Promise<DeliveryVerdict> {
  return onDelivery(stored?.record ?? null, delivery, {
    now: new Date(deps.clock.now()),
    otherItemAlive: await otherItemAlive(stored?.record ?? null, delivery, deps.items),
    maxCrashes: deps.maxCrashes,
  });
}

/** Whether the job's run was started for another item that is still in the queue. */
export async function otherItemAlive(record: StoredRecord | null, delivery: Delivery, items: Items): Promise<boolean> {
  const run = runIn(record);
  return run !== null && run.item !== delivery.sequence && (await items.alive(run.item, delivery.id));
}

function writeVerdict(
  verdict: "claim" | "take-over" | "dead-letter",
  seq: number,
  record: JobRecord,
  delivery: Delivery,
  deps: AdmissionDeps,
) {
  const { now, traceId } = occasion(record, deps);
  if (verdict === "dead-letter") {
    return putUntilDeadline(deps, seq, deadLettered(record, { now, traceId, worker: deps.worker }), record);
  }
  const run = { id: deps.random.id(), worker: deps.worker, item: delivery.sequence, startedAt: now.toISOString() };
  const key = deps.ownsResult(record) ? resultKey(record, deps.random.token()) : null;
  const change = (verdict === "claim" ? claim : takeOver)(record, { run, key, now, traceId });
  return putUntilDeadline(deps, seq, change, record);
}

const runIn = (record: StoredRecord | null) => (record !== null && isLive(record) ? record.run : null);
const runOf = (stored: Stored | null) => runIn(stored?.record ?? null)?.id ?? null;
