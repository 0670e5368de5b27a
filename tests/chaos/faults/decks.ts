import type { Fault } from "./fault.ts";
import { DUPLICATES, POISON } from "./message-faults.ts";
import { FREEZE, KILLS, LONG_FREEZE, ROLLING_RESTART } from "./processor-faults.ts";
import { REORDER } from "./reorder-fault.ts";
import {
  GATEWAY_KILL,
  MONGODB_AWAY,
  NATS_KILL,
  NATS_SILENT,
  NOTIFIER_KILL,
  STORE_KILL,
  STORE_SILENT,
} from "./server-faults.ts";
import { SOURCE_CHANGE } from "./source-faults.ts";
import { storeFaults } from "./store-faults.ts";

/** Faults that strike one after the other, and the rest between two. Decks strike side by side. */
export type Deck = { faults: readonly Fault[]; restMs: [number, number] };

const LONG_MINUTES = 2;

/** A short run leaves out what takes minutes, or what it takes minutes to recover from. */
export const isLong = (minutes: number) => minutes >= LONG_MINUTES;

export function decksFor(minutes: number): Deck[] {
  const servers = [NATS_KILL, NATS_SILENT, MONGODB_AWAY, STORE_SILENT, STORE_KILL, NOTIFIER_KILL];
  const decks: Deck[] = [
    { faults: [...KILLS, FREEZE, ROLLING_RESTART], restMs: [200, 2_000] },
    { faults: isLong(minutes) ? [...servers, GATEWAY_KILL] : servers, restMs: [1_000, 3_000] },
    { faults: storeFaults(), restMs: [500, 3_000] },
    { faults: [POISON, DUPLICATES, REORDER, SOURCE_CHANGE], restMs: [500, 2_000] },
  ];
  return isLong(minutes) ? [...decks, { faults: [LONG_FREEZE], restMs: [10_000, 30_000] }] : decks;
}
