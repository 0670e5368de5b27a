/** An event that is still to come. */
export type Timer = { cancel(): void };

type Event = { at: number; order: number; run: (() => void) | null };

/**
 * Virtual time, milliseconds from 0. Nothing happens by itself: each step takes the next event, sets the clock to it,
 * runs it, and lets every promise that it settled run on until nothing is left to do at this moment.
 */
export class Scheduler {
  readonly #heap: Event[] = [];
  #now = 0;
  #order = 0;

  get now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const event: Event = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    this.#push(event);
    return {
      cancel() {
        event.run = null;
      },
    };
  }

  /** @returns false when nothing is left to happen */
  async step(): Promise<boolean> {
    for (;;) {
      const event = this.#pop();
      if (!event) return false;
      if (event.run === null) continue;
      this.#now = event.at;
      event.run();
      await everyPromise();
      return true;
    }
  }

  /** Runs the world until the promise is settled. Rejects when the world comes to a stop before. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    promise.then(note, note);
    await everyPromise();
    while (!settled) {
      if (!(await this.step())) throw new Error("the simulated world stands still before the promise is settled");
    }
    return promise;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || before(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (!left) break;
      const [child, index] = right && before(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (before(last, child)) break;
      heap[at] = child;
      at = index;
    }
    heap[at] = last;
    return first;
  }
}

const before = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Promises are run to the last one before Node begins its next turn, and the code under test waits for nothing else. */
function everyPromise(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
