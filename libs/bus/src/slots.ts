import { JOB_CLASSES, type JobClass, LANES, type Lane } from "@longhaul/contracts";

/**
 * Who gets the free slots of a worker. Each class owns some; idle ones are lent to the others 10:5:1. Two rules keep
 * one user's flood from making another's single job wait, because a slot comes back only when its job ends:
 * - the last fifth of a class is for its own fast lane only: neither its bulk lane nor another class gets it;
 * - in a class with work in both lanes, bulk keeps a fifth of the class's slots, and fast is served first in the rest.
 */

/** `pending`: items known to wait in the lane. A lane with `asked` > 0 has its one request open and can take no other. */
export type LaneState = {
  readonly class: JobClass;
  readonly lane: Lane;
  running: number;
  asked: number;
  pending: number;
};

export type SlotsPerClass = Readonly<Record<JobClass, number>>;

const LENDING: SlotsPerClass = { high: 10, normal: 5, batch: 1 };

/** Slots of all classes together. */
export const totalSlots = (slots: SlotsPerClass) => JOB_CLASSES.reduce((sum, jobClass) => sum + slots[jobClass], 0);

const RAMP_STEP_MS = 5_000;

/**
 * The slots of each class so long after pulling went on: one at first, and every five seconds twice as many. What all jobs
 * have waited for would else be asked by all of them in the same moment, and be away again before any of them is done.
 */
export function rampedSlots(slots: SlotsPerClass, sinceMs: number): SlotsPerClass {
  const most = 2 ** Math.min(30, Math.floor(sinceMs / RAMP_STEP_MS));
  const { high, normal, batch } = slots;
  return { high: Math.min(high, most), normal: Math.min(normal, most), batch: Math.min(batch, most) };
}

/** The part of a class that only its fast lane gets. A class of less than five slots has none. */
export const lastFifth = (own: number) => Math.floor(own / 5);

/** What bulk keeps while fast has work too: at least one slot, where there is more than one. */
const bulkShare = (own: number) => (own < 2 ? 0 : Math.max(1, lastFifth(own)));

const held = (lane: LaneState) => lane.running + lane.asked;

/** Slots that are neither in use nor asked for. */
export function freeSlots(lanes: readonly LaneState[], slots: SlotsPerClass): number {
  return totalSlots(slots) - lanes.reduce((sum, lane) => sum + held(lane), 0);
}

/** Whether the lane may take one more slot without touching what is kept for other fast lanes. */
export function mayTake(lane: LaneState, lanes: readonly LaneState[], slots: SlotsPerClass): boolean {
  let kept = 0;
  for (const other of lanes) {
    if (other.lane === "fast" && other !== lane) kept += Math.max(0, lastFifth(slots[other.class]) - held(other));
  }
  return freeSlots(lanes, slots) > kept;
}

/** How many items each lane with a backlog should ask for now. */
export function allotSlots(lanes: readonly LaneState[], slots: SlotsPerClass): Map<LaneState, number> {
  // Drafts take what is given step by step, so that each step sees the ones before.
  const drafts = lanes.map((lane) => ({ ...lane, granted: 0, state: lane }));
  for (;;) {
    const hungry = drafts.filter(
      (lane) => lane.state.asked === 0 && lane.pending > lane.granted && mayTake(lane, drafts, slots),
    );
    const next = inClass(hungry, nextClass(hungry, drafts, slots), slots);
    if (!next) break;
    next.granted++;
    next.asked++;
  }
  return new Map(drafts.filter((lane) => lane.granted > 0).map((lane) => [lane.state, lane.granted]));
}

/** A class below its own slots comes first; then whoever has borrowed least for its weight. */
function nextClass(
  hungry: readonly LaneState[],
  all: readonly LaneState[],
  slots: SlotsPerClass,
): JobClass | undefined {
  let best: { jobClass: JobClass; debt: number } | undefined;
  for (const jobClass of JOB_CLASSES) {
    if (!hungry.some((lane) => lane.class === jobClass)) continue;
    const used = all.reduce((sum, lane) => sum + (lane.class === jobClass ? held(lane) : 0), 0);
    const debt = Math.max(0, used + 1 - slots[jobClass]) / LENDING[jobClass];
    if (!best || debt < best.debt) best = { jobClass, debt };
  }
  return best?.jobClass;
}

function inClass<L extends LaneState>(
  hungry: readonly L[],
  jobClass: JobClass | undefined,
  slots: SlotsPerClass,
): L | undefined {
  const [fast, bulk] = LANES.map((lane) => hungry.find((it) => it.class === jobClass && it.lane === lane));
  if (jobClass === undefined || !fast || !bulk) return fast ?? bulk;
  return held(bulk) < bulkShare(slots[jobClass]) ? bulk : fast;
}
