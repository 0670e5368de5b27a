import type { Delivery, WorkQueue } from "@longhaul/bus";
import type { Logger } from "@longhaul/runtime";

/** An item that could not be set aside comes again after this time. */
const RETRY_MS = 5_000;

/**
 * Takes a work item that nobody can read out of the queue: copies it to `DEADLETTERS`, and only when it is stored there
 * terminates it, so that a person can look at it. Never throws.
 */
export async function setAside(delivery: Delivery, queue: WorkQueue, log: Logger): Promise<void> {
  const reason = "not a readable work item";
  try {
    await queue.deadLetter({ subject: delivery.subject, bytes: delivery.bytes, reason });
    delivery.term(reason);
    log.error(
      { subject: delivery.subject, sequence: delivery.sequence },
      "an unreadable work item was moved to DEADLETTERS",
    );
  } catch (error) {
    delivery.nak(RETRY_MS);
    log.error(
      { err: error, subject: delivery.subject },
      "an unreadable work item could not be moved to DEADLETTERS; it comes again",
    );
  }
}
