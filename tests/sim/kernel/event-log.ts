import { createHash } from "node:crypto";

type Line = { at: number; job: string | null; text: string };

/** Lines of one job that a violation shows. */
const SHOWN = 40;

/** All that happens in one history, for people and, as a hash, to prove that a seed gives the same history again. */
export class EventLog {
  readonly #lines: Line[] = [];
  readonly #hash = createHash("sha256");
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param job the job that it is about; null = the whole world */
  add(job: string | null, text: string): void {
    const line = { at: this.#now(), job, text };
    this.#lines.push(line);
    this.#hash.update(`${line.at} ${job} ${text}\n`);
  }

  get length(): number {
    return this.#lines.length;
  }

  hash(): string {
    return this.#hash.copy().digest("hex");
  }

  /** The newest lines about the job, with what happened to the world meanwhile. */
  tail(job: string | null): string[] {
    const about = job === null ? this.#lines : this.#lines.filter((line) => line.job === job || line.job === null);
    return about.slice(-SHOWN).map((line) => `${seconds(line.at)}  ${line.text}`);
  }
}

/** Virtual time for people. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`.padStart(11);
