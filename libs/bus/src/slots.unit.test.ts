import { JOB_CLASSES, type JobClass, LANES, type Lane } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { allotSlots, freeSlots, type LaneState, mayTake, rampedSlots } from "./slots.ts";

const SLOTS = { high: 5, normal: 20, batch: 50 };

type Given = Partial<Record<`${JobClass}.${Lane}`, Partial<LaneState>>>;

const lanesOf = (given: Given): LaneState[] =>
  JOB_CLASSES.flatMap((jobClass) =>
    LANES.map((lane) => ({ class: jobClass, lane, running: 0, asked: 0, pending: 0, ...given[`${jobClass}.${lane}`] })),
  );

function allotted(given: Given, slots = SLOTS): Record<string, number> {
  const grants = allotSlots(lanesOf(given), slots);
  return Object.fromEntries([...grants].map(([lane, count]) => [`${lane.class}.${lane.lane}`, count]));
}

const FLOOD = { pending: 1_000 };

test("nothing to do, nothing given", () => {
  expect(allotted({})).toEqual({});
});

test("a lane gets no more than it has", () => {
  expect(allotted({ "normal.fast": { pending: 3 } })).toEqual({ "normal.fast": 3 });
});

test("a lane whose request is open gets none", () => {
  expect(allotted({ "normal.fast": { pending: 3, asked: 1 } })).toEqual({});
});

test("a class alone is lent everything but the last fifth of the others", () => {
  expect(allotted({ "normal.fast": FLOOD })).toEqual({ "normal.fast": 75 - 1 - 10 });
});

test("a bulk lane does not get the last fifth of its own class either", () => {
  expect(allotted({ "normal.bulk": FLOOD })).toEqual({ "normal.bulk": 75 - 1 - 4 - 10 });
});

test("the last fifth of a class is there for its fast lane, whatever the others hold", () => {
  const flooded = { "normal.bulk": { running: 60, pending: 1_000 } };
  expect(allotted({ ...flooded, "batch.fast": FLOOD })).toEqual({ "batch.fast": 10 });
  expect(allotted({ ...flooded, "normal.fast": { pending: 1 } })).toEqual({ "normal.fast": 1 });
});

test("when all have work each class gets its own slots, and in each bulk gets a fifth", () => {
  const all = Object.fromEntries(JOB_CLASSES.flatMap((c) => LANES.map((l) => [`${c}.${l}`, FLOOD])));
  expect(allotted(all)).toEqual({
    "high.fast": 4,
    "high.bulk": 1,
    "normal.fast": 16,
    "normal.bulk": 4,
    "batch.fast": 40,
    "batch.bulk": 10,
  });
});

test("idle slots are lent 10 to 5", () => {
  const { "high.fast": high = 0, "normal.fast": normal = 0 } = allotted({ "high.fast": FLOOD, "normal.fast": FLOOD });
  expect(high + normal).toBe(65);
  expect((high - 5) / (normal - 20)).toBeCloseTo(2, 0);
});

test("a class that has lent its slots is the first to get those that come back", () => {
  const given: Given = { "high.fast": { running: 50, pending: 100 }, "normal.fast": { running: 14, pending: 100 } };
  expect(allotted(given)).toEqual({ "normal.fast": 1 });
});

test("without lending nobody ever gets more than there are slots", () => {
  const lanes = lanesOf({ "high.fast": { running: 75, pending: 5 } });
  expect(freeSlots(lanes, SLOTS)).toBe(0);
  expect(lanes.some((lane) => mayTake(lane, lanes, SLOTS))).toBe(false);
  expect(allotSlots(lanes, SLOTS).size).toBe(0);
});

test("a class of one or two slots still serves both lanes", () => {
  const two = { high: 2, normal: 0, batch: 0 };
  expect(allotted({ "high.fast": FLOOD, "high.bulk": FLOOD }, two)).toEqual({ "high.fast": 1, "high.bulk": 1 });
  const one = { high: 1, normal: 0, batch: 0 };
  expect(allotted({ "high.bulk": FLOOD }, one)).toEqual({ "high.bulk": 1 });
});

test("after a pause a class has one slot, and every five seconds twice as many, up to its own", () => {
  expect(rampedSlots(SLOTS, 0)).toEqual({ high: 1, normal: 1, batch: 1 });
  expect(rampedSlots(SLOTS, 5_000)).toEqual({ high: 2, normal: 2, batch: 2 });
  expect(rampedSlots(SLOTS, 19_999)).toEqual({ high: 5, normal: 8, batch: 8 });
  expect(rampedSlots(SLOTS, 30_000)).toEqual(SLOTS);
  expect(rampedSlots(SLOTS, Number.POSITIVE_INFINITY)).toEqual(SLOTS);
  expect(rampedSlots({ ...SLOTS, high: 0 }, 0).high).toBe(0);
});
