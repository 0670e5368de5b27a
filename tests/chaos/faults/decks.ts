import type { Fault } from "./fault.ts";
import { DUPLICATES, POISON } from "./message-faults.ts";
import { FREEZE, KILLS, ROLLING_RESTART } from "./processor-faults.ts";
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
import { STORE_FAULTS } from "./store-faults.ts";

/** Faults that strike one after the other, and the rest between two. Decks strike side by side. */
export type Deck = { faults: readonly Fault[]; restMs: [number, number] };

const LONG_MINUTES = 2;

/** `minutes`: a short run leaves out what it takes minutes to recover from. */
export function decksFor(minutes: number): Deck[] {
  const slow = minutes >= LONG_MINUTES ? [GATEWAY_KILL] : [];
  const servers = [NATS_KILL, NATS_SILENT, MONGODB_AWAY, STORE_SILENT, STORE_KILL, NOTIFIER_KILL, ...slow];
  return [
    { faults: [...KILLS, FREEZE, ROLLING_RESTART], restMs: [200, 2_000] },
    { faults: servers, restMs: [1_000, 3_000] },
    { faults: STORE_FAULTS, restMs: [500, 3_000] },
    { faults: [POISON, DUPLICATES, SOURCE_CHANGE], restMs: [500, 2_000] },
  ];
}
