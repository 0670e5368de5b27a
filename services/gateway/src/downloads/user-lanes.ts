import type { Lane } from "@longhaul/contracts";
import { chooseLane, LANE_REFILL_MS, type LaneBucket } from "@longhaul/job";

type Buckets = Map<string, LaneBucket>;

/** Users of the last minute that are remembered; beyond it, floods may get a few more fast jobs. */
const USERS_MAX = 100_000;

/**
 * Which lane the next job of a user goes to, as far as this gateway has seen the user. Users are kept in two halves, of
 * this minute and of the one before: what is older has a full bucket again, and goes with its half, all at once.
 */
export class UserLanes {
  readonly #burst: number;
  readonly #now: () => number;
  #recent: Buckets = new Map();
  #older: Buckets = new Map();
  #turnedAt: number;

  constructor(options: { burst: number; now: () => number }) {
    this.#burst = options.burst;
    this.#now = options.now;
    this.#turnedAt = options.now();
  }

  next(tenant: string, user: string): Lane {
    const now = this.#now();
    if (now - this.#turnedAt >= LANE_REFILL_MS || this.#recent.size >= USERS_MAX) this.#turn(now);
    const key = `${tenant}\0${user}`;
    const { lane, bucket } = chooseLane(this.#recent.get(key) ?? this.#older.get(key) ?? null, now, this.#burst);
    this.#recent.set(key, bucket);
    return lane;
  }

  #turn(now: number): void {
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#turnedAt = now;
  }
}
