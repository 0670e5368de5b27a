import type { InlineMaxBytes } from "@longhaul/job";
import { Prng } from "./kernel/prng.ts";

/** What one history is like: drawn from its seed, so that some are quiet and some wild. Times in milliseconds. */
export type Options = {
  mood: "quiet" | "rough" | "wild";
  jobs: number;
  gateways: number;
  workers: number;
  slotsPerWorker: number;
  uploadConcurrency: number;
  /** How often archives are checkpointed. */
  checkpoints: { checkpointIntervalMs: number; checkpointBytes: number };
  ackWaitMs: number;
  /** From here on nothing goes wrong any more, and the world must come to rest. */
  faultsEndMs: number;
  /** Users' commands, beside their creates. */
  commands: number;
  bus: {
    /** Usual time of one way, least and most. */
    delayMs: [number, number];
    lostRequest: number;
    lostAnswer: number;
    /** Of deliveries, acks, heartbeats and notifications. */
    lostMessage: number;
    doubleNotification: number;
    /** A message that takes up to two ack_waits. */
    late: number;
    /** Direct reads from a replica that is behind. */
    staleRead: number;
  };
  /** How often each happens until the faults end. */
  chaos: {
    kills: number;
    gatewayKills: number;
    freezes: number;
    terminations: number;
    outages: number;
    disconnects: number;
    fullJobs: number;
  };
  /** Chances that a write is followed by a death, a stall, or a user's command; a seal by a cancel, and an end by a retry. */
  ambush: { kill: number; freeze: number; command: number; cancel: number; retry: number };
  /** `lenient`: the store checks nothing that it is sent. */
  objects: {
    lenient: boolean;
    delayMs: [number, number];
    error: number;
    lostRequest: number;
    lostAnswer: number;
    late: number;
  };
  /** How far the views are behind, and how often they are away. */
  views: { lagMs: [number, number]; away: number };
  /**
   * The real sweep hides what makes an item vanish that should not; without it only the items are made again that are
   * missing because a gateway died.
   */
  requeueSweep: boolean;
  /** Records with so little room that most lists lie in object storage. */
  smallRecords: boolean;
  sources: { delayMs: [number, number]; missing: number; changing: number; error: number; rateLimited: number };
};

const MINUTE = 60_000;
const ACK_WAIT_MS = 30_000;

/** Room for two file ids, for one file of a plan or one part, and for no exception. */
const SMALL_RECORD = { fileIds: 15, plan: 80, parts: 60, exceptions: 2 };

/** How long lists in records may be, for those who are told so. */
export function inlineLimits({ options }: { options: Options }): { inlineMaxBytes?: InlineMaxBytes } {
  return options.smallRecords ? { inlineMaxBytes: SMALL_RECORD } : {};
}

export function optionsOf(seed: number): Options {
  const prng = new Prng(seed).fork("options");
  const mood = prng.pick(["quiet", "rough", "rough", "wild", "wild"] as const);
  // Each fault is in some histories and not in others: a fault that is always there hides what needs its absence.
  const faulty = (most: number) => (mood !== "quiet" && prng.chance(0.6) ? most * (mood === "wild" ? 1 : 0.3) : 0);
  const times = (most: number) => Math.round(faulty(most) * prng.unit());
  return {
    mood,
    jobs: prng.int(1, 8),
    gateways: prng.int(1, 2),
    workers: prng.int(2, 3),
    slotsPerWorker: prng.int(1, 3),
    uploadConcurrency: prng.int(1, 3),
    checkpoints: { checkpointIntervalMs: prng.magnitude(100, 60_000), checkpointBytes: prng.int(1, 3_000) },
    ackWaitMs: ACK_WAIT_MS,
    faultsEndMs: prng.int(2, 8) * MINUTE,
    commands: prng.chance(0.6) ? prng.int(1, 12) : 0,
    bus: {
      delayMs: [0.2, prng.magnitude(2, 2_000)],
      lostRequest: faulty(0.1),
      lostAnswer: faulty(0.15),
      lostMessage: faulty(0.1),
      doubleNotification: faulty(0.1),
      late: faulty(0.03),
      staleRead: faulty(0.5),
    },
    chaos: {
      kills: times(8),
      gatewayKills: times(3),
      freezes: times(16),
      terminations: times(4),
      outages: times(3),
      disconnects: times(6),
      fullJobs: times(2),
    },
    ambush: { kill: faulty(0.08), freeze: faulty(0.3), command: faulty(0.2), cancel: faulty(0.6), retry: faulty(0.8) },
    objects: {
      lenient: prng.chance(0.3),
      delayMs: [5, prng.magnitude(20, 20_000)],
      error: faulty(0.1),
      lostRequest: faulty(0.05),
      lostAnswer: faulty(0.08),
      late: faulty(0.05),
    },
    sources: {
      delayMs: [5, prng.magnitude(50, 40_000)],
      missing: faulty(0.2),
      changing: faulty(0.3),
      error: faulty(0.08),
      rateLimited: faulty(0.1),
    },
    views: { lagMs: [50, prng.magnitude(500, 300_000)], away: faulty(0.2) },
    requeueSweep: prng.chance(0.5),
    smallRecords: prng.chance(0.5),
  };
}
