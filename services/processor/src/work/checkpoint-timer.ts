import { type Clock, sleptThrough } from "@longhaul/runtime";

/** How often a checkpoint is written: after so many bytes or so much time, whichever comes first. */
export type CheckpointLimits = { checkpointIntervalMs: number; checkpointBytes: number };

export type CheckpointTimerOptions = CheckpointLimits & {
  clock: Clock;
  /** Writes a checkpoint; only one at a time. */
  save(): Promise<void>;
  /** Told when a checkpoint that nobody waits for could not be written. */
  onFailure(error: unknown): void;
};

/** Decides when what was stored since the last checkpoint is worth the next one. */
export class CheckpointTimer {
  readonly #options: CheckpointTimerOptions;
  readonly #closed = new AbortController();
  #unsavedBytes = 0;
  #savingBytes = 0;
  #savedAt: number;
  #saving: Promise<void> | null = null;
  #isWaiting = false;

  constructor(options: CheckpointTimerOptions) {
    this.#options = options;
    this.#savedAt = options.clock.monotonic();
  }

  /**
   * Waits while a checkpoint is being written, if without it as much would be done again after a crash as may be: whoever
   * is about to store more.
   */
  async room(): Promise<void> {
    while (this.#saving !== null && this.#savingBytes + this.#unsavedBytes >= this.#options.checkpointBytes)
      await this.#saving;
  }

  /** Says that so many bytes more are stored. */
  stored(bytes: number): void {
    this.#unsavedBytes += bytes;
    this.#schedule();
  }

  /** Starts no further checkpoint, and waits for the one that is being written, whatever becomes of it. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#saving;
  }

  /** Closes, and says whether anything is stored that the last checkpoint does not have. */
  async isBehind(): Promise<boolean> {
    await this.close();
    return this.#unsavedBytes > 0;
  }

  #schedule(): void {
    if (this.#closed.signal.aborted || this.#saving !== null || this.#unsavedBytes === 0) return;
    if (this.#unsavedBytes >= this.#options.checkpointBytes) this.#saving = this.#save();
    else if (!this.#isWaiting) void this.#saveWhenDue();
  }

  async #saveWhenDue(): Promise<void> {
    const { clock, checkpointIntervalMs } = this.#options;
    this.#isWaiting = true;
    const waitMs = Math.max(0, this.#savedAt + checkpointIntervalMs - clock.monotonic());
    const waited = await sleptThrough(clock, waitMs, this.#closed.signal);
    this.#isWaiting = false;
    if (waited && this.#saving === null && this.#unsavedBytes > 0) this.#saving = this.#save();
  }

  /** Never rejects. */
  async #save(): Promise<void> {
    this.#savingBytes = this.#unsavedBytes;
    this.#unsavedBytes = 0;
    this.#savedAt = this.#options.clock.monotonic();
    try {
      await this.#options.save();
    } catch (error) {
      this.#unsavedBytes += this.#savingBytes;
      this.#options.onFailure(error);
      return;
    } finally {
      this.#saving = null;
      this.#savingBytes = 0;
    }
    this.#schedule();
  }
}
