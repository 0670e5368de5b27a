import { setTimeout as delay } from "node:timers/promises";
import { STORE_OPERATIONS, STORE_TROUBLES } from "../store-proxy.ts";
import type { Fault } from "./fault.ts";

const ALL = 0.3;

/** For seconds every S3 call of one operation, or of all of them, drawn from the seed, goes wrong in this way. */
export const STORE_FAULTS: readonly Fault[] = STORE_TROUBLES.map((trouble) => ({
  name: `S3 calls of one operation or all: ${trouble}`,
  async strike({ chaos: { proxy }, prng }) {
    proxy.spoil(prng.chance(ALL) ? "any" : prng.pick(STORE_OPERATIONS), trouble);
    await delay(prng.int(1_000, 3_000));
    return proxy.heal() > 0;
  },
}));
