import type { PushMessage, Stored, Subscription } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { isEnded, type Version } from "@longhaul/job";
import { type Clock, type Logger, withTimeout } from "@longhaul/runtime";
import type { View } from "@longhaul/store";
import { SharedRead } from "./shared-read.ts";
import { Shown, type ShowOptions } from "./shown.ts";
import { type StoredState, Watch } from "./watch.ts";

/** What watching needs of the world. */
export type WatchPorts = {
  jobs: { newest(id: string): Promise<Stored | null>; newestOf(ids: readonly string[]): Promise<Stored[]> };
  views: { get(id: string): Promise<View | null> };
  subscribePush(id: string, handler: (push: PushMessage) => void): Subscription;
  busConnected(): boolean;
  clock: Clock;
  log: Logger;
};

export type WatchOptions = {
  /** How long a job that nobody asks for stays in memory. */
  idleMs: number;
  /** Jobs that were silent for this long are read again. */
  recheckMs: number;
  show: ShowOptions;
};

/** A re-read asks for this many jobs at once: larger requests hold writers up. */
const RECHECK_BATCH = 100;
/** Leader reads of one job that clients can force. */
const FORCED_READ_GAP_MS = 250;
/** The first look at a running job waits so long for the views, which may be away. */
const PROGRESS_READ_MS = 200;
/** Beyond this many, a job is forgotten as soon as nobody asks for it (one watch is about 5 KB). */
const KEPT_MAX = 50_000;

type Entry = {
  watch: Watch;
  subscription: Subscription;
  reread: SharedRead<void>;
  opening: Promise<boolean>;
  ready: boolean;
};

/** The jobs that clients of this gateway look at, each kept current while somebody does. */
export class Watches {
  readonly #entries = new Map<string, Entry>();
  readonly #ports: WatchPorts;
  readonly #options: WatchOptions;

  constructor(ports: WatchPorts, options: WatchOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The job's watch if it is in memory and ready, without any wait. */
  peek(id: string): Watch | null {
    const entry = this.#entries.get(id);
    if (!entry?.ready) return null;
    entry.watch.askedAt = this.#ports.clock.monotonic();
    return entry.watch;
  }

  /**
   * The job's watch; null when there is no such job.
   * @throws BusError, StoreError when nothing is known of the job and whoever could tell is away
   */
  async open(id: string): Promise<Watch | null> {
    const entry = this.#entries.get(id) ?? this.#begin(id);
    const found = await entry.opening;
    entry.watch.askedAt = this.#ports.clock.monotonic();
    return found ? entry.watch : null;
  }

  /**
   * Reads the job by leader, at most once per 250 ms; the read begins after this call.
   * @throws BusError
   */
  refresh(watch: Watch): Promise<void> {
    return this.#entries.get(watch.id)?.reread.ask() ?? Promise.resolve();
  }

  /**
   * Brings the watch at least to the version that a client names, where that can be: nobody is answered below what they
   * already know. Where whoever could tell is away the watch is no longer confirmed, and its state shown as stale.
   * @returns the named version; null when none was named or it cannot be true, which counts as none
   */
  async reach(watch: Watch, named: Version | null): Promise<Version | null> {
    const behind = named !== null && named.seq > watch.seq;
    if ((behind || !watch.confirmed) && this.#ports.busConnected())
      await this.refresh(watch).catch(() => watch.doubt());
    return named !== null && named.seq <= watch.seq ? named : null;
  }

  /** Takes what this gateway wrote or read itself, so that nobody reads backwards here after their own call. */
  learn(stored: StoredState): void {
    this.#entries.get(stored.record.id)?.watch.take(stored, { confirmed: true });
  }

  /** Learns a state, and gives what is known of the job then: with its newest progress where the job is watched. */
  shownAfter({ seq, record }: { seq: number; record: JobRecord }): Shown {
    this.learn({ seq, record });
    const watched = this.peek(record.id)?.shown ?? null;
    return watched !== null && watched.version.seq >= seq
      ? watched
      : new Shown({ seq, n: 0 }, record, this.#options.show);
  }

  /** To be called when the bus is lost: what was pushed since is not known. */
  doubtAll(): void {
    for (const { watch } of this.#entries.values()) watch.doubt();
  }

  /** Forgets idle jobs and reads silent ones again, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const cycleMs = this.#options.recheckMs / 2;
    while (!signal.aborted) {
      this.#forgetIdle();
      const silent = this.#ports.busConnected() ? this.#silent() : [];
      const pauseMs = cycleMs / Math.max(1, Math.ceil(silent.length / RECHECK_BATCH));
      for (let i = 0; i < Math.max(1, silent.length) && !signal.aborted; i += RECHECK_BATCH) {
        await this.#recheck(silent.slice(i, i + RECHECK_BATCH));
        await this.#ports.clock.sleep(pauseMs, signal).catch(() => undefined);
      }
    }
  }

  close(): void {
    for (const entry of [...this.#entries.values()]) this.#forget(entry);
  }

  #begin(id: string): Entry {
    const watch = new Watch(id, this.#options.show, this.#ports.clock.monotonic());
    // Subscribed before the first read, so that no write falls between the two.
    const subscription = this.#ports.subscribePush(id, (push) => this.#pushed(watch, push));
    const reread = new SharedRead(() => this.#reread(watch), FORCED_READ_GAP_MS, this.#ports.clock);
    const entry: Entry = { watch, subscription, reread, opening: Promise.resolve(false), ready: false };
    this.#entries.set(id, entry);
    entry.opening = this.#first(entry);
    return entry;
  }

  async #first(entry: Entry): Promise<boolean> {
    try {
      entry.ready = await this.#load(entry.watch);
      return entry.ready;
    } finally {
      if (!entry.ready) this.#forget(entry);
    }
  }

  /** Whether the job was found: in `JOBS`, else in the view; there as a copy that may be old while the bus is away. */
  async #load(watch: Watch): Promise<boolean> {
    let away: unknown = null;
    try {
      const stored = await this.#newest(watch.id);
      if (stored !== null) {
        watch.take(stored, { confirmed: true });
        if (stored.record.status === "running") await this.#loadProgress(watch);
      }
      // A job that was erased, or that came by push meanwhile, is known as well.
      if (watch.seq > 0) return true;
    } catch (error) {
      away = error;
    }
    const view = await this.#ports.views.get(watch.id).catch((error: unknown) => {
      throw away ?? error;
    });
    if (view === null && away !== null) throw away;
    if (view === null || "erased" in view) return false;
    watch.take({ seq: view.seq, record: view.record }, { confirmed: away === null, n: view.n });
    return true;
  }

  /** A record has the progress of its last write only; what came since, and was not heard here, the view has. */
  async #loadProgress(watch: Watch): Promise<void> {
    const read = () => this.#ports.views.get(watch.id);
    const view = await withTimeout(read, PROGRESS_READ_MS, "Reading the progress of a job").catch(() => null);
    if (view === null || "erased" in view) return;
    watch.takeProgress({ seq: view.seq, n: view.n, progress: view.record.progress });
  }

  #newest(id: string): Promise<Stored | null> {
    return this.#ports.jobs.newest(id);
  }

  async #reread(watch: Watch): Promise<void> {
    const stored = await this.#newest(watch.id);
    watch.heardAt = this.#ports.clock.monotonic();
    if (stored !== null) return watch.take(stored, { confirmed: true });
    // It has left `JOBS`: what the view says of an ended job is its last word.
    const view = await this.#ports.views.get(watch.id);
    if (view === null || "erased" in view || !isEnded(view.status)) return;
    watch.take({ seq: view.seq, record: view.record }, { confirmed: true, n: view.n });
  }

  #pushed(watch: Watch, push: PushMessage): void {
    watch.heardAt = this.#ports.clock.monotonic();
    if (push.kind === "progress") watch.takeProgress(push.message);
    else watch.take(push.stored, { confirmed: true });
  }

  #forgetIdle(): void {
    const now = this.#ports.clock.monotonic();
    const idleMs = this.size > KEPT_MAX ? 0 : this.#options.idleMs;
    for (const entry of this.#entries.values()) {
      if (entry.ready && !entry.watch.watched && now - entry.watch.askedAt > idleMs) this.#forget(entry);
    }
  }

  #silent(): Entry[] {
    const now = this.#ports.clock.monotonic();
    return [...this.#entries.values()].filter(
      (entry) => entry.ready && now - entry.watch.heardAt >= this.#options.recheckMs,
    );
  }

  async #recheck(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    try {
      const found = await this.#ports.jobs.newestOf(entries.map((entry) => entry.watch.id));
      const byId = new Map(found.map((stored) => [stored.record.id, stored]));
      for (const entry of entries) this.#rechecked(entry, byId.get(entry.watch.id));
    } catch (error) {
      // They stay silent, so the next cycle asks for them again.
      this.#ports.log.warn(
        { err: error, jobs: entries.length },
        "watched jobs could not be read again; trying again shortly",
      );
    }
  }

  #rechecked(entry: Entry, stored: Stored | undefined): void {
    entry.watch.heardAt = this.#ports.clock.monotonic();
    if (stored !== undefined) entry.watch.take(stored, { confirmed: true });
    // Gone from `JOBS`: whoever asks next is answered from the view.
    else if (!entry.watch.watched) this.#forget(entry);
  }

  #forget(entry: Entry): void {
    entry.subscription.close();
    if (this.#entries.get(entry.watch.id) === entry) this.#entries.delete(entry.watch.id);
  }
}
