import { type ClientFrame, clientFrame } from "@longhaul/contracts";

const FRAMES_MAX = 20;
const WINDOW_MS = 10_000;

/** Reads a client's frame; null when it is not one that the protocol knows. */
export function parseClientFrame(text: string): ClientFrame | null {
  try {
    return clientFrame.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Counts a client's frames: at most 20 in any 10 seconds. */
export class FrameBudget {
  readonly #times: number[] = [];

  /** @param now monotonic milliseconds; false = one too many */
  spend(now: number): boolean {
    while (this.#times[0] !== undefined && now - this.#times[0] >= WINDOW_MS) this.#times.shift();
    this.#times.push(now);
    return this.#times.length <= FRAMES_MAX;
  }
}
