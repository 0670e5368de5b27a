import { createJobStore } from "@longhaul/bus";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { Prng } from "../sim/kernel/prng.ts";
import { startChaosStack } from "./chaos-stack.ts";
import { type Broken, brokenPromises, type Findings } from "./checks.ts";
import { findAtRest } from "./evidence.ts";
import type { Town } from "./faults/fault.ts";
import { consumerNames } from "./leaks.ts";
import { Ledger } from "./ledger.ts";
import { Observer } from "./observer.ts";
import { brokenResults } from "./result-bytes.ts";
import { Sockets } from "./sockets.ts";
import { type Counts, gatewayUrls, type Say, TAKEOVER_BOUND_MS, trouble, WHOLE_WITHIN_MS } from "./storm.ts";
import { type Takeover, takeoversOf } from "./takeovers.ts";

export type ChaosOptions = { seed: number; minutes: number; say: Say };

export type ChaosRun = {
  ledger: Ledger;
  found: Findings;
  broken: Broken[];
  takeovers: Takeover[];
  /** Of 63 pairs of an S3 operation and a way to go wrong, those that befell a call. */
  storePairs: number;
  followed: number;
  reconnects: number;
  /** How often each fault struck, and how often what it aims at did not come along. */
  faults: Counts;
  /** From the end of the faults to rest, milliseconds. */
  restMs: number;
  /** What came to rest last of all. */
  last: readonly string[];
  dataDir: string;
};

/** From the end of the faults to rest: the longest waits between tries, and the sweep for missing items. */
const REST_WITHIN_MS = 240_000;
const SOCKETS_WITHIN_MS = 40_000;

/** Lives through the faults of one seed on a stack of its own, waits for rest, and compares. */
export async function runChaos({ seed, minutes, say }: ChaosOptions): Promise<ChaosRun> {
  say("starting a stack of its own");
  const chaos = await startChaosStack(say);
  const buckets = openBuckets(s3Variables(chaos.s3));
  const ledger = new Ledger();
  let observer: Observer | null = null;
  let sockets: Sockets | null = null;
  let keep = true;
  try {
    observer = await Observer.open(chaos.stack.run().nats.url, ledger);
    const common = { clock: systemClock, random: systemRandom, log: createLogger("chaos", "silent"), timeoutMs: 2_000 };
    const jobs = createJobStore(observer.bus, common);
    const prng = new Prng(seed);
    const town: Town = { chaos, ledger, observer, prng, jobs, results: buckets.results, bereaved: [] };
    const consumers = await consumerNames(observer.bus);
    const baseUrls = () => gatewayUrls(chaos);
    const note = (id: string, text: string) => ledger.note(id, text);
    sockets = new Sockets({ baseUrls, prng: prng.fork("sockets"), note });
    const faults = await trouble({ town, follow: sockets.follow.bind(sockets), minutes, say });
    say("the faults are over; waiting for rest");
    const since = performance.now();
    await chaos.whole(WHOLE_WITHIN_MS);
    const { found, last } = await findAtRest(
      { chaos, bus: observer.bus, jobs, results: buckets.results, ledger, consumers },
      REST_WITHIN_MS,
    );
    const restMs = performance.now() - since;
    say("comparing what is there with what was promised");
    const takeovers = takeoversOf(town.bereaved, ledger.writes, ledger.troubles, TAKEOVER_BOUND_MS);
    const broken = [
      ...brokenPromises(ledger, found),
      ...late(takeovers),
      ...(await sockets.broken(found.records, SOCKETS_WITHIN_MS)),
      ...(await brokenResults(found.records.values(), buckets.results, chaos.dataDir)),
    ];
    keep = broken.length > 0;
    const { followed, reconnects } = sockets;
    const storePairs = chaos.proxy.befell.size;
    return {
      ledger,
      found,
      broken,
      takeovers,
      storePairs,
      followed,
      reconnects,
      faults,
      restMs,
      last,
      dataDir: chaos.dataDir,
    };
  } finally {
    await sockets?.close();
    await observer?.bus.close();
    buckets.close();
    await chaos.dispose(keep);
  }
}

/** Takeovers that took longer than they may, though nothing else was wrong. */
function late(takeovers: readonly Takeover[]): Broken[] {
  const counting = takeovers.filter(({ excuses }) => excuses.length === 0);
  return counting
    .filter(({ tookMs }) => tookMs > TAKEOVER_BOUND_MS)
    .map(({ id, how, tookMs }) => ({
      job: id,
      what: `late: ${(tookMs / 1000).toFixed(1)} s from the kill of its processor (${how}) to its next run`,
    }));
}
