import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../support/until.ts";
import { STORE_BACK_MS } from "../ledger.ts";
import { STORE_OPERATIONS, STORE_TROUBLES } from "../store-proxy.ts";
import type { Fault } from "./fault.ts";

const AIM_MS = 6_000;
const TARGETS = [...STORE_OPERATIONS, "any"] as const;

/**
 * For seconds every S3 call of one operation, or of all of them, goes wrong in this way. The operations come in an order
 * of the seed's, and none comes a second time before each of them was struck.
 */
export function storeFaults(): Fault[] {
  return STORE_TROUBLES.map((trouble) => {
    let left: (typeof TARGETS)[number][] = [];
    return {
      name: `S3 calls of one operation or all: ${trouble}`,
      async strike({ chaos: { proxy }, ledger, prng }) {
        if (left.length === 0) left = [...TARGETS];
        const target = prng.pick(left);
        const ms = prng.int(1_000, 3_000);
        ledger.trouble("S3", AIM_MS + ms + STORE_BACK_MS);
        proxy.spoil(target, trouble);
        // While breakers are open nobody calls.
        await until("a call", () => proxy.spoilt() > 0, AIM_MS).catch(() => {});
        await delay(ms);
        const struck = proxy.heal() > 0;
        // One that nobody called comes up again.
        if (struck) left = left.filter((other) => other !== target);
        return struck;
      },
    };
  });
}
