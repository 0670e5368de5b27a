import { type Clock, type Logger, sleptThrough } from "@longhaul/runtime";
import type { DeliverySlot } from "./delivery-slot.ts";
import type { HeldJob } from "./held-job.ts";
import { RunLost } from "./run-lost.ts";

/**
 * Keeps the run's delivery from being given to another worker: says `working` every third of ack_wait. After a stall
 * of the process the job is read before anything else; a run that was taken over meanwhile is reported to `onLost`.
 * Returns when the signal aborts.
 */
export async function keepDelivery(
  slot: DeliverySlot,
  held: HeldJob,
  onLost: (lost: RunLost) => void,
  options: { clock: Clock; ackWaitMs: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  const { clock, ackWaitMs, log, signal } = options;
  while (await sleptThrough(clock, ackWaitMs / 3, signal)) {
    if (slot.stale) await reportIfLost(held, onLost, log);
    else slot.working();
  }
}

/** Reads the job and reports a run that was lost. A read that fails changes nothing: the next write will tell. */
export async function reportIfLost(held: HeldJob, onLost: (lost: RunLost) => void, log: Logger): Promise<void> {
  try {
    await held.verify();
  } catch (error) {
    if (error instanceof RunLost) onLost(error);
    else log.warn({ err: error }, "could not read a running job; its next write will tell whether it is still ours");
  }
}
