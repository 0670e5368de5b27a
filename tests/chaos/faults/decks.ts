import type { Fault } from "./fault.ts";
import { DUPLICATES, POISON } from "./message-faults.ts";
import { FREEZE, KILLS, ROLLING_RESTART } from "./processor-faults.ts";
import { MONGODB_AWAY, NATS_KILL, NATS_SILENT, NOTIFIER_KILL } from "./server-faults.ts";
import { SOURCE_CHANGE } from "./source-faults.ts";

/** Faults that strike one after the other, and the rest between two. Decks strike side by side. */
export type Deck = { faults: readonly Fault[]; restMs: [number, number] };

export const DECKS: readonly Deck[] = [
  { faults: [...KILLS, FREEZE, ROLLING_RESTART], restMs: [200, 2_000] },
  { faults: [NATS_KILL, NATS_SILENT, MONGODB_AWAY, NOTIFIER_KILL], restMs: [1_000, 4_000] },
  { faults: [POISON, DUPLICATES, SOURCE_CHANGE], restMs: [500, 2_000] },
];
