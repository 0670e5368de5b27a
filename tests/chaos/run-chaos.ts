import { setTimeout as delay } from "node:timers/promises";
import { createJobStore } from "@longhaul/bus";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { Prng } from "../sim/kernel/prng.ts";
import { type ChaosStack, startChaosStack } from "./chaos-stack.ts";
import { type Broken, brokenPromises, type Findings } from "./checks.ts";
import { findAtRest } from "./evidence.ts";
import { type Deck, decksFor } from "./faults/decks.ts";
import type { Fault, Town } from "./faults/fault.ts";
import { Ledger } from "./ledger.ts";
import { Observer } from "./observer.ts";
import { brokenResults } from "./result-bytes.ts";
import { useDownloads } from "./users.ts";

export type ChaosOptions = { seed: number; minutes: number; say: (line: string) => void };

export type ChaosRun = {
  ledger: Ledger;
  found: Findings;
  broken: Broken[];
  bereaved: Town["bereaved"];
  /** How often each fault struck, and how often what it aims at did not come along. */
  faults: ReadonlyMap<string, { struck: number; missed: number }>;
  /** From the end of the faults to rest, milliseconds. */
  restMs: number;
  dataDir: string;
};

const MINUTE = 60_000;
const WHOLE_WITHIN_MS = 30_000;
/** From the end of the faults to rest: the longest waits between tries, and the sweep for missing items. */
const REST_WITHIN_MS = 240_000;
/** The first jobs run in peace. */
const CALM_MS = 1_000;

/** Lives through the faults of one seed on a stack of its own, waits for rest, and compares. */
export async function runChaos({ seed, minutes, say }: ChaosOptions): Promise<ChaosRun> {
  say("starting a stack of its own");
  const chaos = await startChaosStack(say);
  const buckets = openBuckets(s3Variables(chaos.s3));
  const ledger = new Ledger();
  let observer: Observer | null = null;
  let keep = true;
  try {
    observer = await Observer.open(chaos.stack.run().nats.url, ledger);
    const common = { clock: systemClock, random: systemRandom, log: createLogger("chaos", "silent"), timeoutMs: 2_000 };
    const jobs = createJobStore(observer.bus, common);
    const prng = new Prng(seed);
    const town: Town = { chaos, ledger, observer, prng, jobs, results: buckets.results, bereaved: [], poison: 0 };
    const faults = await trouble(town, minutes, say);
    say("the faults are over; waiting for rest");
    const since = performance.now();
    await chaos.whole(WHOLE_WITHIN_MS);
    const found = await findAtRest(
      { chaos, bus: observer.bus, jobs, results: buckets.results, ledger, poison: town.poison },
      REST_WITHIN_MS,
    );
    const restMs = performance.now() - since;
    say("comparing what is there with what was promised");
    const broken = [
      ...brokenPromises(ledger, found),
      ...(await brokenResults(found.records.values(), buckets.results, chaos.dataDir)),
    ];
    keep = broken.length > 0;
    return { ledger, found, broken, bereaved: town.bereaved, faults, restMs, dataDir: chaos.dataDir };
  } finally {
    await observer?.bus.close();
    buckets.close();
    await chaos.dispose(keep);
  }
}

/** Users and faults, side by side, for so long. */
async function trouble(town: Town, minutes: number, say: (line: string) => void): Promise<ChaosRun["faults"]> {
  const over = AbortSignal.timeout(minutes * MINUTE);
  const counts = new Map<string, { struck: number; missed: number }>();
  const users = useDownloads({
    baseUrls: () => gatewayUrls(town.chaos),
    ledger: town.ledger,
    prng: town.prng.fork("users"),
    signal: over,
  });
  await delay(CALM_MS);
  const decks = decksFor(minutes).map((deck, i) =>
    playDeck(deck, { ...town, prng: town.prng.fork(`deck ${i}`) }, over, counts, say),
  );
  await Promise.all([users, ...decks]);
  return counts;
}

/** Every fault of the deck in an order of the seed's, then all of them again in another. */
async function playDeck(
  { faults, restMs }: Deck,
  town: Town,
  over: AbortSignal,
  counts: Map<string, { struck: number; missed: number }>,
  say: (line: string) => void,
): Promise<void> {
  let left: Fault[] = [];
  while (!over.aborted) {
    if (left.length === 0) left = [...faults];
    const fault = town.prng.pick(left);
    left = left.filter((other) => other !== fault);
    const struck = await fault.strike(town);
    const count = counts.get(fault.name) ?? { struck: 0, missed: 0 };
    counts.set(fault.name, count);
    if (struck) count.struck++;
    else count.missed++;
    say(`${(town.ledger.now() / 1000).toFixed(1)} s  ${struck ? "" : "(missed) "}${fault.name}`);
    await delay(town.prng.int(...restMs));
  }
}

/** Also of a gateway that is down at the moment. */
const gatewayUrls = ({ stack }: ChaosStack) =>
  stack
    .processes()
    .filter(({ spec }) => spec.name === "gateway")
    .map(({ spec }) => `http://127.0.0.1:${spec.ports.http}`);
