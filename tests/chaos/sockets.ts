import { setTimeout as delay } from "node:timers/promises";
import type { StoredRecord } from "@longhaul/contracts";
import type { Prng } from "../sim/kernel/prng.ts";
import type { Broken } from "./checks.ts";
import { type Follower, newFollower, see, wrongState } from "./follower.ts";

/** Below the limit of streams that one user may have. */
const MOST = 36;
const OPEN_WITHIN_MS = 5_000;
const RECONNECT_MS: [number, number] = [200, 1_000];
/** An ended job may be retried: its follower looks again, but not so often. */
const AFTER_END_MS = 3_000;
const LOOK_MS = 200;

export type SocketsOptions = { baseUrls: () => string[]; prng: Prng; note: (id: string, text: string) => void };

/** People who follow jobs on sockets through all that happens: whoever is cut off connects again, at any gateway. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #followers = new Map<string, Follower>();
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  /** All that there ever were, and how often they had to connect again. */
  followed = 0;
  reconnects = 0;

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /** Follows the job from now on, if there is room: who has seen an end makes room for others. */
  follow(id: string, user: string): void {
    if (this.#followers.size >= MOST) {
      const done = [...this.#followers.values()].find(({ ended }) => ended);
      if (!done) return;
      this.#followers.delete(done.id);
    }
    const follower = newFollower(id, user);
    this.#followers.set(id, follower);
    this.followed++;
    this.#loops.push(this.#keepFollowing(follower));
  }

  /** What followers show wrongly, once they had `patienceMs` to hear of the newest records. */
  async broken(
    records: ReadonlyMap<string, { seq: number; record: StoredRecord }>,
    patienceMs: number,
  ): Promise<Broken[]> {
    const endAt = performance.now() + patienceMs;
    for (;;) {
      const broken = [...this.#followers.values()].flatMap((follower) => {
        const what = wrongState(follower, records.get(follower.id));
        return what === null ? [] : { job: follower.id, what };
      });
      if (broken.length === 0 || performance.now() > endAt) return broken;
      await delay(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #keepFollowing(follower: Follower): Promise<void> {
    const { signal } = this.#stop;
    const isWanted = () => !signal.aborted && this.#followers.get(follower.id) === follower;
    while (isWanted() && !follower.gone) {
      const code = await this.#connect(follower);
      if (code === GONE) follower.gone = true;
      follower.ended = code === ENDED;
      if (!follower.ended) this.reconnects++;
      this.#options.note(follower.id, `socket closed with ${code}, shows ${follower.status || "nothing"}`);
      await delay(follower.ended ? AFTER_END_MS : this.#options.prng.int(...RECONNECT_MS), null, { signal }).catch(
        () => {},
      );
    }
  }

  /** One socket from its opening to its close; gives the code of the close. */
  #connect(follower: Follower): Promise<number> {
    const { signal } = this.#stop;
    const { baseUrls, prng } = this.#options;
    const url = new URL(`/v1/downloads/${follower.id}/ws`, prng.pick(baseUrls()).replace("http", "ws"));
    url.searchParams.set("user_id", follower.user);
    if (follower.version) url.searchParams.set("since", `${follower.version.seq}.${follower.version.n}`);
    const socket = new WebSocket(url, "longhaul.v1");
    const leave = () => socket.close();
    const timer = setTimeout(leave, OPEN_WITHIN_MS);
    signal.addEventListener("abort", leave);
    return new Promise((resolve) => {
      socket.onopen = () => clearTimeout(timer);
      socket.onmessage = ({ data }) => see(follower, JSON.parse(String(data)));
      socket.onclose = ({ code }) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        resolve(code);
      };
    });
  }
}

/** Codes of a close: the job has ended, and the job is unknown or erased. */
const ENDED = 1000;
const GONE = 4404;
