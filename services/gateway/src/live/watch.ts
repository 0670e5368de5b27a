import type { ProgressMessage, StoredRecord } from "@longhaul/contracts";
import type { Version } from "@longhaul/job";
import { Shown, type ShowOptions } from "./shown.ts";

/** Progress since a write, however it was heard of. */
type KnownProgress = Pick<ProgressMessage, "seq" | "n" | "progress">;

/** A stored write of the job, or a copy of one. */
export type StoredState = { seq: number; record: StoredRecord };

/**
 * The newest known state of one job, and who is to be told when it changes. It moves to higher versions only: (`seq`,
 * `n`), where `n` counts the progress since the write `seq` and counts on exactly that `seq`.
 */
export class Watch {
  readonly id: string;
  readonly #options: ShowOptions;
  readonly #listeners = new Set<() => void>();
  #shown: Shown | null = null;
  #erasedAt: number | null = null;
  /** Progress of a write that has not arrived yet: the two come by different ways. */
  #early: KnownProgress | null = null;
  #confirmed = false;
  /** Monotonic milliseconds: when the job was last heard of, and last asked for. */
  heardAt: number;
  askedAt: number;

  constructor(id: string, options: ShowOptions, now: number) {
    this.id = id;
    this.#options = options;
    this.heardAt = now;
    this.askedAt = now;
  }

  /** null until something is known, and after the job was erased. */
  get shown(): Shown | null {
    return this.#shown;
  }

  get erased(): boolean {
    return this.#erasedAt !== null;
  }

  /** The state is what the bus said since the last connect; if not, it is shown as stale. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  get seq(): number {
    return this.#erasedAt ?? this.#shown?.version.seq ?? 0;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls back after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes a stored write, if it is newer. `confirmed`: it comes from the bus. `n`: progress already in its record. */
  take(stored: StoredState, { confirmed, n = 0 }: { confirmed: boolean; n?: number }): void {
    if (stored.seq < this.seq) return;
    const newer = stored.seq > this.seq;
    const cleared = confirmed && !this.#confirmed;
    if (newer) this.#move(stored, n);
    this.#confirmed ||= confirmed;
    if (newer || cleared) this.#tell();
  }

  /** Takes progress: at once if it belongs to the newest write, later if that has yet to arrive. */
  takeProgress(message: KnownProgress): void {
    if (message.seq > this.seq) {
      if (this.#early === null || isNewer(message, this.#early)) this.#early = message;
      return;
    }
    if (this.#shown === null || !isNewer(message, this.#shown.version)) return;
    this.#show(message, { ...this.#shown.record, progress: message.progress });
    this.#tell();
  }

  /** The bus is away: what is known may be old from now on. */
  doubt(): void {
    if (!this.#confirmed) return;
    this.#confirmed = false;
    this.#tell();
  }

  #move({ seq, record }: StoredState, n: number): void {
    if (record.status === "erased") {
      this.#erasedAt = seq;
      this.#shown = null;
      return;
    }
    const early = this.#early?.seq === seq ? this.#early : null;
    this.#erasedAt = null;
    this.#show({ seq, n: early?.n ?? n }, early ? { ...record, progress: early.progress } : record);
    if (this.#early !== null && this.#early.seq <= seq) this.#early = null;
  }

  #show({ seq, n }: Version, record: Shown["record"]): void {
    this.#shown = new Shown({ seq, n }, record, this.#options);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function isNewer(a: Version, b: Version): boolean {
  return a.seq > b.seq || (a.seq === b.seq && a.n > b.n);
}
