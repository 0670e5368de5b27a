import type { ProgressMessage } from "@longhaul/contracts";
import { compareVersions } from "@longhaul/job";
import type { ProgressUpdate } from "@longhaul/store";

/** As many jobs as one process is expected to serve at a time. Beyond it progress of further jobs is not written. */
const JOBS_MAX = 10_000;

/** The newest progress of each job that has moved since it was last written to its view. */
export class ProgressBuffer {
  readonly #jobsMax: number;
  readonly #updates = new Map<string, ProgressUpdate>();

  constructor(jobsMax: number = JOBS_MAX) {
    this.#jobsMax = jobsMax;
  }

  /** Takes what is newer than what is here. A new job in a full buffer is left out: its next progress may find room. */
  offer(id: string, { seq, n, progress }: ProgressMessage): void {
    const known = this.#updates.get(id);
    if (known ? compareVersions({ seq, n }, known) <= 0 : this.#updates.size >= this.#jobsMax) return;
    this.#updates.set(id, { id, seq, n, progress });
  }

  pending(): ProgressUpdate[] {
    return [...this.#updates.values()];
  }

  /** Forgets what was written, unless something newer has come meanwhile. */
  written(updates: readonly ProgressUpdate[]): void {
    for (const update of updates) {
      if (this.#updates.get(update.id) === update) this.#updates.delete(update.id);
    }
  }
}
