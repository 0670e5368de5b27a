import { setTimeout as delay } from "node:timers/promises";
import { createJobStore } from "@longhaul/bus";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { Prng } from "../sim/kernel/prng.ts";
import { until } from "../support/until.ts";
import { ACK_WAIT_MS, type ChaosStack, startChaosStack } from "./chaos-stack.ts";
import { type Broken, brokenPromises, type Findings } from "./checks.ts";
import { findAtRest } from "./evidence.ts";
import { type Deck, decksFor, isLong } from "./faults/decks.ts";
import type { Fault, Town } from "./faults/fault.ts";
import { KILLS } from "./faults/processor-faults.ts";
import { consumerNames } from "./leaks.ts";
import { Ledger } from "./ledger.ts";
import { Observer } from "./observer.ts";
import { brokenResults } from "./result-bytes.ts";
import { Sockets } from "./sockets.ts";
import { type Takeover, takeoversOf } from "./takeovers.ts";
import { useDownloads } from "./users.ts";

export type ChaosOptions = { seed: number; minutes: number; say: (line: string) => void };

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
  faults: ReadonlyMap<string, { struck: number; missed: number }>;
  /** From the end of the faults to rest, milliseconds. */
  restMs: number;
  /** What came to rest last of all. */
  last: readonly string[];
  dataDir: string;
};

type Counts = Map<string, { struck: number; missed: number }>;

const MINUTE = 60_000;
const WHOLE_WITHIN_MS = 30_000;
/** From the end of the faults to rest: the longest waits between tries, and the sweep for missing items. */
const REST_WITHIN_MS = 240_000;
/** The first jobs run in peace. */
const CALM_MS = 1_000;
/** From the kill of a processor to the next run of its jobs, while another one is there and nothing else is wrong. */
export const TAKEOVER_BOUND_MS = ACK_WAIT_MS + 5_000;
/** How long the calm waits for jobs to be taken over: longer than the bound, to see by how much it is missed. */
const CALM_PATIENCE_MS = 2 * TAKEOVER_BOUND_MS;
const SHORT_CALM_KILLS = 2;
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
    const town: Town = { chaos, ledger, observer, prng, jobs, results: buckets.results, bereaved: [], poison: 0 };
    const consumers = await consumerNames(observer.bus);
    const baseUrls = () => gatewayUrls(chaos);
    const note = (id: string, text: string) => ledger.note(id, text);
    sockets = new Sockets({ baseUrls, prng: prng.fork("sockets"), note });
    const faults = await trouble(town, sockets, minutes, say);
    say("the faults are over; waiting for rest");
    const since = performance.now();
    await chaos.whole(WHOLE_WITHIN_MS);
    const { found, last } = await findAtRest(
      { chaos, bus: observer.bus, jobs, results: buckets.results, ledger, poison: town.poison, consumers },
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

/** Users and faults, side by side, for so long. */
async function trouble(
  town: Town,
  sockets: Sockets,
  minutes: number,
  say: (line: string) => void,
): Promise<ChaosRun["faults"]> {
  const over = new AbortController();
  const counts: Counts = new Map();
  const users = useDownloads({
    baseUrls: () => gatewayUrls(town.chaos),
    ledger: town.ledger,
    prng: town.prng.fork("users"),
    follow: (id, user) => sockets.follow(id, user),
    signal: over.signal,
  });
  await delay(CALM_MS);
  await killInCalm(
    { ...town, prng: town.prng.fork("calm") },
    isLong(minutes) ? KILLS.length : SHORT_CALM_KILLS,
    counts,
    say,
  );
  const timer = setTimeout(() => over.abort(), minutes * MINUTE);
  const decks = decksFor(minutes).map((deck, i) =>
    playDeck(deck, { ...town, prng: town.prng.fork(`deck ${i}`) }, over.signal, counts, say),
  );
  await Promise.all([users, ...decks]).finally(() => clearTimeout(timer));
  return counts;
}

/**
 * Kills processors one at a time while nothing else is wrong, and waits for their jobs' next runs: here the promised time
 * must hold, and each run has some that count.
 */
async function killInCalm(town: Town, kills: number, counts: Counts, say: (line: string) => void): Promise<void> {
  const { chaos, ledger, bereaved } = town;
  let left = [...KILLS];
  for (let i = 0; i < kills; i++) {
    const fault = town.prng.pick(left);
    left = left.filter((other) => other !== fault);
    await strike(fault, town, counts, say);
    const heardOf = (id: string, atMs: number, run: string) =>
      ledger.writes.get(id)?.some((write) => write.atMs > atMs && write.run !== run) ?? false;
    const isSettled = () => bereaved.every(({ id, atMs, run }) => heardOf(id, atMs, run));
    await until("the jobs of the killed processor to run again", isSettled, CALM_PATIENCE_MS).catch(() => {});
    await chaos.whole(WHOLE_WITHIN_MS);
  }
}

/** Every fault of the deck in an order of the seed's, then all of them again in another. */
async function playDeck(
  { faults, restMs }: Deck,
  town: Town,
  over: AbortSignal,
  counts: Counts,
  say: (line: string) => void,
): Promise<void> {
  let left: Fault[] = [];
  while (!over.aborted) {
    if (left.length === 0) left = [...faults];
    const fault = town.prng.pick(left);
    left = left.filter((other) => other !== fault);
    await strike(fault, town, counts, say);
    await delay(town.prng.int(...restMs));
  }
}

async function strike(fault: Fault, town: Town, counts: Counts, say: (line: string) => void): Promise<void> {
  const struck = await fault.strike(town);
  const count = counts.get(fault.name) ?? { struck: 0, missed: 0 };
  counts.set(fault.name, count);
  if (struck) count.struck++;
  else count.missed++;
  say(`${(town.ledger.now() / 1000).toFixed(1)} s  ${struck ? "" : "(missed) "}${fault.name}`);
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

/** Also of a gateway that is down at the moment. */
const gatewayUrls = ({ stack }: ChaosStack) =>
  stack
    .processes()
    .filter(({ spec }) => spec.name === "gateway")
    .map(({ spec }) => `http://127.0.0.1:${spec.ports.http}`);
