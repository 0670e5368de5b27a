import { setTimeout as delay } from "node:timers/promises";
import { until } from "../support/until.ts";
import { ACK_WAIT_MS, type ChaosStack } from "./chaos-stack.ts";
import { type Deck, decksFor, isLong } from "./faults/decks.ts";
import type { Fault, Town } from "./faults/fault.ts";
import { KILLS } from "./faults/processor-faults.ts";
import { type UsersOptions, useDownloads } from "./users.ts";

export type Say = (line: string) => void;
/** How often each fault struck, and how often what it aims at did not come along. */
export type Counts = Map<string, { struck: number; missed: number }>;
export type StormOptions = { town: Town; follow: UsersOptions["follow"]; minutes: number; say: Say };

const MINUTE = 60_000;
export const WHOLE_WITHIN_MS = 30_000;
/** The first jobs run in peace. */
const CALM_MS = 1_000;
/** From the kill of a processor to the next run of its jobs, while another one is there and nothing else is wrong. */
export const TAKEOVER_BOUND_MS = ACK_WAIT_MS + 5_000;
/** How long the calm waits for jobs to be taken over: longer than the bound, to see by how much it is missed. */
const CALM_PATIENCE_MS = 2 * TAKEOVER_BOUND_MS;
const SHORT_CALM_KILLS = 2;

/** Users and faults, side by side, for so long. */
export async function trouble({ town, follow, minutes, say }: StormOptions): Promise<Counts> {
  const over = new AbortController();
  const counts: Counts = new Map();
  const users = useDownloads({
    baseUrls: () => gatewayUrls(town.chaos),
    ledger: town.ledger,
    prng: town.prng.fork("users"),
    follow,
    signal: over.signal,
  });
  try {
    await delay(CALM_MS);
    const calmKills = isLong(minutes) ? KILLS.length : SHORT_CALM_KILLS;
    await killInCalm({ ...town, prng: town.prng.fork("calm") }, calmKills, counts, say);
    const timer = setTimeout(() => over.abort(), minutes * MINUTE);
    const decks = decksFor(minutes).map((deck, i) =>
      playDeck(deck, { ...town, prng: town.prng.fork(`deck ${i}`) }, over.signal, counts, say),
    );
    await Promise.all(decks).finally(() => clearTimeout(timer));
  } finally {
    over.abort();
    await users;
  }
  return counts;
}

/**
 * Kills processors one at a time while nothing else is wrong, and waits for their jobs' next runs: here the promised time
 * must hold, and each run has some that count.
 */
async function killInCalm(town: Town, kills: number, counts: Counts, say: Say): Promise<void> {
  const { chaos, ledger, bereaved } = town;
  let left: Fault[] = [];
  let struck = 0;
  for (let tries = 0; struck < kills && tries < 2 * KILLS.length; tries++) {
    if (left.length === 0) left = [...KILLS];
    const fault = town.prng.pick(left);
    left = left.filter((other) => other !== fault);
    if (await strike(fault, town, counts, say)) struck++;
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
  say: Say,
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

async function strike(fault: Fault, town: Town, counts: Counts, say: Say): Promise<boolean> {
  const struck = await fault.strike(town);
  const count = counts.get(fault.name) ?? { struck: 0, missed: 0 };
  counts.set(fault.name, count);
  if (struck) count.struck++;
  else count.missed++;
  say(`${(town.ledger.now() / 1000).toFixed(1)} s  ${struck ? "" : "(missed) "}${fault.name}`);
  return struck;
}

/** Also of a gateway that is down at the moment. */
export const gatewayUrls = ({ stack }: ChaosStack) =>
  stack
    .processes()
    .filter(({ spec }) => spec.name === "gateway")
    .map(({ spec }) => `http://127.0.0.1:${spec.ports.http}`);
