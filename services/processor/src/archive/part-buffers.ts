import { JOB_CLASSES, type JobClass } from "@longhaul/contracts";

/** The part of the budget, in percent, that each class has for itself: nobody borrows from another. */
const SHARE_PERCENT: Readonly<Record<JobClass, number>> = { high: 25, normal: 50, batch: 25 };

/** Bytes of the budget that one archive holds until it gives them back. */
export type Reservation = { readonly bytes: number; release(): void };

type Waiting = { bytes: number; grant(): void };
type Share = { readonly totalBytes: number; freeBytes: number; readonly waiting: Waiting[] };

/**
 * The memory that all archives of a process have for their parts. An archive reserves once, before its first byte, and
 * never again while it holds: whoever holds can go on to the end, so nobody waits for somebody who waits. Within a class
 * it is first come, first served, however much is asked for, so that small archives do not starve a large one.
 */
export class PartBuffers {
  readonly #shares: Readonly<Record<JobClass, Share>>;

  constructor(totalBytes: number) {
    const shares = JOB_CLASSES.map((jobClass): [JobClass, Share] => {
      const bytes = Math.floor((totalBytes * SHARE_PERCENT[jobClass]) / 100);
      return [jobClass, { totalBytes: bytes, freeBytes: bytes, waiting: [] }];
    });
    this.#shares = Object.fromEntries(shares) as Record<JobClass, Share>;
  }

  /** All that archives of the class can hold together, in bytes. */
  shareOf(jobClass: JobClass): number {
    return this.#shares[jobClass].totalBytes;
  }

  /** What archives of the class hold now, in bytes. */
  reservedBy(jobClass: JobClass): number {
    const { totalBytes, freeBytes } = this.#shares[jobClass];
    return totalBytes - freeBytes;
  }

  /**
   * Waits until `bytes`, at most the class's share, are free, and takes them. There are never more who wait than jobs
   * run. Rejects with the signal's reason when that comes first.
   */
  async reserve(jobClass: JobClass, bytes: number, signal: AbortSignal): Promise<Reservation> {
    const share = this.#shares[jobClass];
    if (bytes > share.totalBytes) throw new RangeError(`${bytes} bytes are more than the share of ${jobClass}`);
    signal.throwIfAborted();
    if (share.waiting.length > 0 || share.freeBytes < bytes) await turn(share, bytes, signal);
    else share.freeBytes -= bytes;
    let held = true;
    return {
      bytes,
      release() {
        if (held) giveBack(share, bytes);
        held = false;
      },
    };
  }
}

function turn(share: Share, bytes: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      share.waiting.splice(share.waiting.indexOf(waiting), 1);
      // The one who gave up may have been in the way of those behind.
      serve(share);
      reject(signal.reason);
    };
    const waiting: Waiting = {
      bytes,
      grant() {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    share.waiting.push(waiting);
  });
}

function giveBack(share: Share, bytes: number): void {
  share.freeBytes += bytes;
  serve(share);
}

function serve(share: Share): void {
  for (let next = share.waiting[0]; next !== undefined && next.bytes <= share.freeBytes; next = share.waiting[0]) {
    share.waiting.shift();
    share.freeBytes -= next.bytes;
    next.grant();
  }
}
