import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "@longhaul/bus";
import { STREAMS } from "@longhaul/contracts";
import { isUnfinished } from "@longhaul/job";
import { readBothSides } from "../support/both-sides.ts";
import type { ChaosStack } from "./chaos-stack.ts";
import type { Findings } from "./checks.ts";
import type { Ledger } from "./ledger.ts";

const LOOK_MS = 500;
const API_TIMEOUT_MS = 5_000;

/**
 * Looks at everything again and again until it is at rest: each job ended or paused, each view as new as its record, no
 * work item left. Gives what is there then, or after `patienceMs`, at rest or not.
 */
export async function findAtRest(
  chaos: ChaosStack,
  bus: Bus,
  ledger: Ledger,
  poison: number,
  patienceMs: number,
): Promise<Findings> {
  const endAt = performance.now() + patienceMs;
  for (;;) {
    const found = await find(chaos, bus, ledger, poison).catch((error: unknown) => {
      if (performance.now() > endAt) throw error;
      return null;
    });
    if (found && (isAtRest(found) || performance.now() > endAt)) return found;
    await delay(LOOK_MS);
  }
}

async function find(chaos: ChaosStack, bus: Bus, ledger: Ledger, poison: number): Promise<Findings> {
  const { records, views } = await readBothSides(chaos.stack.run(), [...ledger.accepted.keys()]);
  return {
    records,
    viewSeqs: new Map([...views].map(([id, { seq }]) => [id, seq])),
    itemsLeft: await messagesIn(bus, STREAMS.work),
    deadLetters: await messagesIn(bus, STREAMS.deadLetters),
    poison,
  };
}

function isAtRest({ records, viewSeqs, itemsLeft, deadLetters, poison }: Findings): boolean {
  const jobs = [...records].every(
    ([id, { seq, record }]) =>
      viewSeqs.get(id) === seq &&
      (record.status === "erased" || record.status === "paused" || !isUnfinished(record.status)),
  );
  return jobs && itemsLeft === 0 && deadLetters >= poison;
}

async function messagesIn(bus: Bus, stream: string): Promise<number> {
  const answer = await bus.requests.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeoutMs: API_TIMEOUT_MS });
  const info: { state: { messages: number } } = JSON.parse(Buffer.from(answer.data).toString());
  return info.state.messages;
}
