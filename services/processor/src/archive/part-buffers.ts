import { JOB_CLASSES, type JobClass } from "@longhaul/contracts";

/** The part of the budget, in percent, that each class has for itself: nobody borrows from another. */
const SHARE_PERCENT: Readonly<Record<JobClass, number>> = { high: 25, normal: 50, batch: 25 };

/** Bytes of the budget that one archive holds until it gives them back. */
export type Reservation = { readonly bytes: number; release(): void };

/** Who asks for how much; `owner`: the user, for whom any text will do that is no other user's. */
export type ReservationRequest = { jobClass: JobClass; owner: string; bytes: number };

type Waiting = { owner: string; bytes: number; grant(): void };
type Share = {
  readonly totalBytes: number;
  freeBytes: number;
  /** In the order in which they came. */
  readonly waiting: Waiting[];
  /** For whom all that comes free is kept until it is enough. */
  first: Waiting | null;
  /** How many reservations each owner holds, who holds any. */
  readonly held: Map<string, number>;
};

/**
 * The memory that all archives of a process have for their parts. An archive reserves once, before its first byte, and
 * never again while it holds: whoever holds can go on to the end, so nobody waits for somebody who waits.
 *
 * Within a class the next one is of the owner who holds the fewest reservations, and of those the one that came first: who
 * has one archive does not wait for another's twenty. Whoever's turn it is when memory comes free has the turn until
 * there is enough, however much that is, so that small archives do not starve a large one.
 */
export class PartBuffers {
  readonly #shares: Readonly<Record<JobClass, Share>>;

  constructor(totalBytes: number) {
    const shares = JOB_CLASSES.map((jobClass): [JobClass, Share] => {
      const bytes = Math.floor((totalBytes * SHARE_PERCENT[jobClass]) / 100);
      return [jobClass, { totalBytes: bytes, freeBytes: bytes, waiting: [], first: null, held: new Map() }];
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
  async reserve({ jobClass, owner, bytes }: ReservationRequest, signal: AbortSignal): Promise<Reservation> {
    const share = this.#shares[jobClass];
    if (bytes > share.totalBytes) throw new RangeError(`${bytes} bytes are more than the share of ${jobClass}`);
    signal.throwIfAborted();
    await turn(share, owner, bytes, signal);
    let held = true;
    return {
      bytes,
      release() {
        if (held) giveBack(share, owner, bytes);
        held = false;
      },
    };
  }
}

function turn(share: Share, owner: string, bytes: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      leave(share, waiting);
      // The one who gave up may have been in the way of others.
      serve(share);
      reject(signal.reason);
    };
    const waiting: Waiting = {
      owner,
      bytes,
      grant() {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    share.waiting.push(waiting);
    serve(share);
  });
}

function giveBack(share: Share, owner: string, bytes: number): void {
  share.freeBytes += bytes;
  const held = heldBy(share, owner) - 1;
  if (held > 0) share.held.set(owner, held);
  else share.held.delete(owner);
  share.first ??= nextOf(share);
  serve(share);
}

function serve(share: Share): void {
  for (;;) {
    const next = share.first ?? nextOf(share);
    if (next === null || next.bytes > share.freeBytes) return;
    leave(share, next);
    share.freeBytes -= next.bytes;
    share.held.set(next.owner, heldBy(share, next.owner) + 1);
    next.grant();
  }
}

function leave(share: Share, waiting: Waiting): void {
  share.waiting.splice(share.waiting.indexOf(waiting), 1);
  if (share.first === waiting) share.first = null;
}

/** Whose turn it is by what everybody holds now. */
function nextOf(share: Share): Waiting | null {
  let next: Waiting | null = null;
  for (const waiting of share.waiting) {
    if (next === null || heldBy(share, waiting.owner) < heldBy(share, next.owner)) next = waiting;
  }
  return next;
}

const heldBy = ({ held }: Share, owner: string): number => held.get(owner) ?? 0;
