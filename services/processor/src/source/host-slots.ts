type Waiter = { grant(): void };
/** Who waits for a slot of a host, by owner; the owner that comes first in the map is served next. */
type Host = { taken: number; waiting: Map<string, Waiter[]>; waiters: number };

/**
 * How many requests to one host run at a time. Those that wait are served owner by owner, so that one who asks for a
 * thousand files does not keep back another who asks for one. No more than `maxWaiting` wait for a host.
 */
export class HostSlots {
  readonly #perHost: number;
  readonly #maxWaiting: number;
  readonly #hosts = new Map<string, Host>();

  constructor(perHost: number, maxWaiting = 10_000) {
    this.#perHost = perHost;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a slot, when it is the owner's turn. Rejects with the signal's reason when that comes first.
   * @returns gives the slot back, once however often it is called; null: too many wait already
   */
  async take(name: string, owner: string, signal: AbortSignal): Promise<(() => void) | null> {
    signal.throwIfAborted();
    const host = this.#hosts.get(name) ?? { taken: 0, waiting: new Map(), waiters: 0 };
    this.#hosts.set(name, host);
    if (host.taken < this.#perHost) host.taken += 1;
    else if (host.waiters >= this.#maxWaiting) return null;
    else await turn(host, owner, signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (host.waiters > 0) return serve(host);
      host.taken -= 1;
      if (host.taken === 0) this.#hosts.delete(name);
    };
  }
}

function turn(host: Host, owner: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      const own = host.waiting.get(owner) ?? [];
      own.splice(own.indexOf(waiter), 1);
      if (own.length === 0) host.waiting.delete(owner);
      host.waiters -= 1;
      reject(signal.reason);
    };
    const waiter = {
      grant() {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const own = host.waiting.get(owner);
    if (own) own.push(waiter);
    else host.waiting.set(owner, [waiter]);
    host.waiters += 1;
  });
}

/** Hands a slot on to the next owner, which then goes to the end of the row. */
function serve(host: Host): void {
  const [next] = host.waiting;
  if (next === undefined) return;
  const [owner, own] = next;
  const waiter = own.shift();
  host.waiting.delete(owner);
  if (own.length > 0) host.waiting.set(owner, own);
  host.waiters -= 1;
  waiter?.grant();
}
