import { CircuitState, CountBreaker, circuitBreaker, handleWhen } from "cockatiel";
import { systemClock } from "./clock.ts";
import type { breakerConfig } from "./config/job-shapes.ts";
import type { Settings } from "./config/load.ts";
import { TimeoutError, withTimeout } from "./deadline.ts";

export type BreakerSettings = Settings<typeof breakerConfig>;

/** What an error says about the other side: it is in trouble, it answered, or nothing at all (the caller gave up). */
export type CallVerdict = "failure" | "answer" | "nothing";

export type BreakerOptions = {
  /** Of the other side, for logs and metrics. */
  name: string;
  settings: BreakerSettings;
  judge(error: unknown): CallVerdict;
  /** A cheap call that tells whether the other side is well again. It must end by itself. */
  probe(): Promise<unknown>;
};

/** A call was not made, because too many before it failed. */
class BreakerOpenError extends Error {
  override readonly name = "BreakerOpenError";
  readonly code = "BREAKER_OPEN";
  /** Until the next look whether the other side is well again, milliseconds. */
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number) {
    super(`Calls to ${name} fail at present, so none is made; the next probe is in ${Math.ceil(retryAfterMs)} ms.`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Who meets a side that is away, while the breaker has not seen enough to open, looks again after this part of its wait. */
const EARLY_LOOK_SHARE = 10;
/** Who waits to know whether a side is away has a job to let go of, maybe within a shutdown: no answer for so long is one. */
const EARLY_LOOK_MS = 5_000;
/** While a probe is under way its outcome is not far off. */
const PROBING_MS = 1_000;

/**
 * Keeps calls from a side that fails. It opens when of the last `breakerMinCalls` calls more than `breakerErrorPercent`
 * failed. While it is open every call is refused at once; after each `breakerResetMs` one probe is sent, whose success
 * closes it.
 */
export class Breaker {
  readonly name: string;
  readonly #judge: BreakerOptions["judge"];
  readonly #probe: BreakerOptions["probe"];
  readonly #resetMs: number;
  readonly #policy: ReturnType<typeof circuitBreaker>;
  readonly #listeners = new Set<(isOpen: boolean) => void>();
  #timer: NodeJS.Timeout | undefined;
  #probeAt = 0;
  #told = false;
  #looking: Promise<boolean> | null = null;
  #closed = false;

  constructor({ name, settings, judge, probe }: BreakerOptions) {
    this.name = name;
    this.#judge = judge;
    this.#probe = probe;
    this.#resetMs = settings.breakerResetMs;
    const { breakerErrorPercent, breakerMinCalls: size } = settings;
    this.#policy = circuitBreaker(
      handleWhen((error) => judge(error) === "failure"),
      {
        breaker: new CountBreaker({ threshold: breakerErrorPercent / 100, size, minimumNumberOfCalls: size }),
        // The timer below says when to probe: the library would wait for a call, and by a clock that may be set back.
        halfOpenAfter: Number.NEGATIVE_INFINITY,
      },
    );
    this.#policy.onBreak(() => this.#onBreak());
    this.#policy.onReset(() => this.#tell(false));
  }

  /** Whether calls are refused; also while a probe is under way. */
  get isOpen(): boolean {
    return this.#policy.state !== CircuitState.Closed;
  }

  /** Until the next probe, milliseconds; 0 when it is closed. */
  get retryAfterMs(): number {
    return this.isOpen ? Math.max(PROBING_MS, this.#probeAt - systemClock.monotonic()) : 0;
  }

  /**
   * Makes a call, and counts how it ended before it is told.
   * @throws BreakerOpenError while it is open; else what the call throws
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.isOpen) throw new BreakerOpenError(this.name, this.retryAfterMs);
    return await this.#execute(call);
  }

  /** The same for what comes in pieces: one call, which ends with the last of them. A reader that stops early has had an answer. */
  async *stream<T>(open: () => AsyncIterable<T>): AsyncGenerator<T> {
    const end = Promise.withResolvers<void>();
    const counted = this.run(() => end.promise);
    // Whoever reads is told by the pieces; here only the refusal is left, and it comes before the first.
    counted.catch(() => {});
    if (this.isOpen) await counted;
    try {
      yield* open();
    } catch (error) {
      end.reject(error);
      await counted;
    } finally {
      end.resolve();
    }
  }

  /**
   * For how long the caller of a call that ended with this error is to wait for the other side, milliseconds; null = the
   * error stands for itself. Who was refused has to wait, and so has who failed with the other side when the breaker has
   * opened by then.
   * @param askedMs for how long the other side itself asked to be left alone
   */
  waitMs(error: unknown, askedMs = 0): number | null {
    if (error instanceof BreakerOpenError) return error.retryAfterMs;
    return this.isOpen && this.#judge(error) === "failure" ? Math.max(this.retryAfterMs, askedMs) : null;
  }

  /**
   * Whether the other side is away although too few calls were made for the breaker to open: a probe is sent, one for all
   * who ask meanwhile. Gives how long to wait for it, milliseconds; null = it is there.
   */
  async awayMs(): Promise<number | null> {
    if (this.isOpen) return this.retryAfterMs;
    this.#looking ??= this.#isAway().finally(() => {
      this.#looking = null;
    });
    if (!(await this.#looking)) return null;
    return this.isOpen ? this.retryAfterMs : Math.ceil(this.#resetMs / EARLY_LOOK_SHARE);
  }

  /** Calls back whenever it opens or closes; the returned function ends that. */
  onChange(listener: (isOpen: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends no probe any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The library counts neither way what it does not handle; an answer must count as a success. */
  async #execute<T>(call: () => Promise<T>): Promise<T> {
    const outcome = await this.#policy.execute(async () => {
      try {
        return { value: await call() };
      } catch (error) {
        if (this.#judge(error) === "answer") return { error };
        throw error;
      }
    });
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Not counted: a side that answers the probe and fails at what it is for must not look half well. */
  async #isAway(): Promise<boolean> {
    try {
      await withTimeout(() => this.#probe(), EARLY_LOOK_MS, `A look at ${this.name}`);
      return false;
    } catch (error) {
      return error instanceof TimeoutError || this.#judge(error) === "failure";
    }
  }

  #onBreak(): void {
    this.#probeAt = systemClock.monotonic() + this.#resetMs;
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), this.#resetMs).unref();
    this.#tell(true);
  }

  async #look(): Promise<void> {
    // However it ends, the library has counted it and says what follows by its events.
    await this.#execute(this.#probe).catch(() => {});
  }

  /** A probe that failed opens it again, which is no news. */
  #tell(isOpen: boolean): void {
    if (isOpen === this.#told) return;
    this.#told = isOpen;
    for (const listener of this.#listeners) listener(isOpen);
  }
}
