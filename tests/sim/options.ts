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
  /** Days go by: ended jobs leave `JOBS`, and the loops of the services take their time. */
  long: boolean;
  /** Until then users create jobs and processes are struck out of the blue; later only where something happens. */
  busyMs: number;
  /** From here on nothing goes wrong any more, and the world must come to rest. */
  faultsEndMs: number;
  /** Users' commands, beside their creates. */
  commands: number;
  /** Chance that a create has an idempotency key, of which there are few. */
  keyed: number;
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
    notifierKills: number;
    freezes: number;
    terminations: number;
    outages: number;
    disconnects: number;
    fullJobs: number;
  };
  /**
   * Chances that a write is followed by a death, a stall, or a user's command; a seal by a cancel, an end by a retry;
   * that something is asked for about the moment at which `JOBS` lets a job go; that a Complete arrives just after
   * cleanup has listed, and that a listing arrives just after a run has made something.
   */
  ambush: {
    kill: number;
    gatewayKill: number;
    freeze: number;
    command: number;
    cancel: number;
    retry: number;
    lifetime: number;
    complete: number;
    listing: number;
  };
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
  /** Between two rounds of each loop, and how young the orphan sweep leaves things alone. */
  pace: { requeueMs: number; orphansMs: number; orphanAgeSeconds: number; expiryMs: number };
  retention: {
    jobDeadlineSeconds: number;
    /** How long results are asked to be kept, least and most. */
    resultSeconds: [number, number];
    retryWindowFailedSeconds: number;
    retryWindowCancelledSeconds: number;
    jobRetentionSeconds: number;
    tombstoneSeconds: number;
  };
  sources: { delayMs: [number, number]; missing: number; changing: number; error: number; rateLimited: number };
  /** How often the store is away for minutes, so that breakers are open and jobs wait. */
  storeAway: number;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAY_SECONDS = 86_400;
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
  const long = prng.chance(0.2);
  const busyMs = prng.int(2, 8) * MINUTE;
  return {
    mood,
    long,
    busyMs,
    jobs: prng.int(1, 8),
    gateways: prng.int(1, 2),
    workers: prng.int(2, 3),
    slotsPerWorker: prng.int(1, 3),
    uploadConcurrency: prng.int(1, 3),
    checkpoints: { checkpointIntervalMs: prng.magnitude(100, 60_000), checkpointBytes: prng.int(1, 3_000) },
    ackWaitMs: ACK_WAIT_MS,
    faultsEndMs: long ? prng.int(2, 5) * DAY : busyMs,
    commands: prng.chance(0.6) ? prng.int(1, 12) : 0,
    keyed: prng.chance(0.5) ? 0.5 : 0,
    ...faultsOf(prng, mood),
    requeueSweep: prng.chance(0.5),
    pace: long ? slowPace(prng) : PACE,
    retention: long ? longRetention(prng) : shortRetention(prng),
    smallRecords: prng.chance(0.5),
  };
}

type Faults = Pick<Options, "bus" | "chaos" | "ambush" | "objects" | "sources" | "views" | "storeAway">;

function faultsOf(prng: Prng, mood: Options["mood"]): Faults {
  // Each fault is in some histories and not in others: a fault that is always there hides what needs its absence.
  const faulty = (most: number) => (mood !== "quiet" && prng.chance(0.6) ? most * (mood === "wild" ? 1 : 0.3) : 0);
  const times = (most: number) => Math.round(faulty(most) * prng.unit());
  return {
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
      notifierKills: times(3),
      freezes: times(16),
      terminations: times(4),
      outages: times(3),
      disconnects: times(6),
      fullJobs: times(2),
    },
    ambush: {
      kill: faulty(0.08),
      gatewayKill: faulty(0.08),
      freeze: faulty(0.3),
      command: faulty(0.2),
      cancel: faulty(0.6),
      retry: faulty(0.8),
      lifetime: prng.chance(0.8) ? 0.8 : 0,
      complete: faulty(0.3),
      listing: faulty(0.3),
    },
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
    storeAway: times(4),
  };
}

/** In production the orphan sweep leaves alone what is younger than a day: so short that it meets jobs that still run. */
const PACE: Options["pace"] = {
  requeueMs: MINUTE / 2,
  orphansMs: 5 * MINUTE,
  orphanAgeSeconds: 120,
  expiryMs: MINUTE / 2,
};

/** An expiry that is away for more than a day meets jobs that have left `JOBS` with a result that is still to expire. */
const slowPace = (prng: Prng): Options["pace"] => ({
  requeueMs: 2 * HOUR,
  orphansMs: 6 * HOUR,
  orphanAgeSeconds: 3_600,
  expiryMs: prng.chance(0.5) ? HOUR : prng.int(30, 60) * HOUR,
});

/** Production's, or deadlines and results that end in the middle of the work. */
const shortRetention = (prng: Prng): Options["retention"] => ({
  jobDeadlineSeconds: prng.chance(0.2) ? prng.int(60, 600) : 7 * DAY_SECONDS,
  resultSeconds: prng.chance(0.4) ? [300, 600] : [DAY_SECONDS, DAY_SECONDS],
  retryWindowFailedSeconds: 30 * DAY_SECONDS,
  retryWindowCancelledSeconds: 7 * DAY_SECONDS,
  jobRetentionSeconds: 7 * DAY_SECONDS,
  tombstoneSeconds: 9 * DAY_SECONDS,
});

/** The shortest for which every reader has a day to see an end, so that all of a job's life is over in days. */
const longRetention = (prng: Prng): Options["retention"] => ({
  jobDeadlineSeconds: prng.chance(0.3) ? prng.int(300, DAY_SECONDS) : 7 * DAY_SECONDS,
  resultSeconds: [300, DAY_SECONDS / 2],
  retryWindowFailedSeconds: DAY_SECONDS,
  retryWindowCancelledSeconds: DAY_SECONDS,
  jobRetentionSeconds: 2 * DAY_SECONDS,
  tombstoneSeconds: prng.pick([2, 9]) * DAY_SECONDS,
});
