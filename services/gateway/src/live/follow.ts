import { WS_CLOSE } from "@longhaul/contracts";
import { compareVersions, formatVersion, type Version } from "@longhaul/job";
import type { Clock } from "@longhaul/runtime";
import type { Connection } from "./connection.ts";
import { dataFrame, finalFrame, isUrgent, type Told } from "./frames.ts";
import type { Shown } from "./shown.ts";
import type { Watch } from "./watch.ts";

/** At most ten data frames a second. */
const FRAME_GAP_MS = 100;
/** How soon the end is tried again when the read that must precede it failed. */
const END_RETRY_MS = 1000;

export type FollowPorts = {
  /** Reads the job by leader. */
  refresh(watch: Watch): Promise<void>;
  clock: Pick<Clock, "monotonic">;
};

/**
 * Keeps one client up to date about one job, the newest state first, until the job ends or the connection does.
 *
 *   following -> (job ended) reading by leader -> final frame, close 1000
 *                                              -> (the job goes on after all) following
 */
export class Follow {
  readonly #connection: Connection;
  readonly #watch: Watch;
  readonly #ports: FollowPorts;
  #told: Told | null;
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #ending = false;

  /** @param since what the client says it knows; null = nothing */
  constructor(connection: Connection, watch: Watch, since: Version | null, ports: FollowPorts) {
    this.#connection = connection;
    this.#watch = watch;
    this.#ports = ports;
    this.#told = since === null ? null : { version: since, shown: null, stale: false };
  }

  start(): void {
    const stop = this.#watch.listen(() => this.#update());
    this.#connection.onDrain(() => this.#update());
    this.#connection.onClose(() => {
      stop();
      if (this.#timer !== null) clearTimeout(this.#timer);
    });
    this.#update();
  }

  #update(): void {
    if (this.#connection.ended || this.#ending) return;
    const { shown, erased } = this.#watch;
    if (erased) this.#erased();
    // A slow client is told the newest state when it has taken the ones before.
    if (shown === null || !this.#connection.ready) return;
    // It may have heard more elsewhere: keepalives do not go back behind that either.
    const known = this.#told?.version ?? shown.version;
    this.#connection.version = compareVersions(known, shown.version) > 0 ? formatVersion(known) : shown.label;
    const stale = !this.#watch.confirmed;
    if (shown.ended && !stale) return void this.#end();
    const frame = dataFrame(this.#told, shown, stale);
    if (frame === null) return;
    const waitMs = this.#sentAt + FRAME_GAP_MS - this.#ports.clock.monotonic();
    if (waitMs > 0 && !isUrgent(this.#told, shown, stale)) {
      this.#later(waitMs);
    } else {
      this.#sentAt = this.#ports.clock.monotonic();
      this.#told = { version: shown.version, shown, stale };
      this.#connection.sendData(frame);
    }
  }

  #later(waitMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#update();
    }, waitMs);
  }

  /** A retry on another gateway may have revived the job a moment ago: only a leader read makes an end final. */
  async #end(): Promise<void> {
    this.#ending = true;
    const read = await this.#ports.refresh(this.#watch).then(
      () => true,
      () => false,
    );
    this.#ending = false;
    if (this.#connection.ended) return;
    const shown = this.#watch.shown;
    if (!read) return this.#later(END_RETRY_MS);
    if (shown === null || !shown.ended || !this.#watch.confirmed) return this.#update();
    if (!this.#connection.ready) return;
    if (!this.#knows(shown)) this.#connection.sendData(finalFrame(shown));
    this.#connection.close(WS_CLOSE.ended, "ended");
  }

  /** The client came back with the version of the end. */
  #knows(shown: Shown): boolean {
    return this.#told !== null && this.#told.shown === null && compareVersions(this.#told.version, shown.version) >= 0;
  }

  #erased(): void {
    this.#connection.bye({
      code: WS_CLOSE.ended,
      reason: "JOB_ERASED",
      message: "The job was deleted.",
      reconnect: false,
    });
  }
}
