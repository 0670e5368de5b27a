import { expect, test } from "vitest";
import { type DeliveryFacts, type DeliveryVerdict, onDelivery, onFenced } from "./delivery.ts";
import { aRun, at, erasedRecord, recordIn } from "./testing/index.ts";

const ITEM = { sequence: 1, generation: 1 };
const FACTS: DeliveryFacts = { now: at(60), otherItemAlive: false, maxCrashes: 5 };
const RUN_OF_ANOTHER = recordIn("running", { run: aRun({ item: 2 }) });
const waiting = (seconds: number) => recordIn("queued", { retryAt: at(60 + seconds).toISOString() });

test.each<[string, Parameters<typeof onDelivery>[0], Partial<DeliveryFacts>, DeliveryVerdict]>([
  ["there is no job", null, {}, { do: "ack" }],
  ["the job was erased", erasedRecord(), {}, { do: "ack" }],
  ["a newer generation has begun", recordIn("queued", { generation: 2 }), {}, { do: "ack" }],
  ["a newer generation runs", recordIn("running", { generation: 2 }), {}, { do: "ack" }],
  ["it is completed", recordIn("completed"), {}, { do: "ack" }],
  ["it has failed", recordIn("failed"), {}, { do: "ack" }],
  ["it is cancelled", recordIn("cancelled"), {}, { do: "ack" }],
  ["it has expired", recordIn("expired"), {}, { do: "ack" }],
  ["it is paused", recordIn("paused"), {}, { do: "ack" }],
  ["its next try is due in 4 s", waiting(4), {}, { do: "nak", delayMs: 4000 }],
  ["its next try is due in an hour: look again in 15 min", waiting(3600), {}, { do: "nak", delayMs: 900_000 }],
  ["its next try is due now", waiting(0), {}, { do: "claim" }],
  ["it is queued", recordIn("queued"), {}, { do: "claim" }],
  ["the run of this item died", recordIn("running"), {}, { do: "take-over" }],
  [
    "the run of this item died; that item is alive, of course",
    recordIn("running"),
    { otherItemAlive: true },
    { do: "take-over" },
  ],
  ["another item's run, and that item is still there", RUN_OF_ANOTHER, { otherItemAlive: true }, { do: "ack" }],
  ["another item's run, and that item is gone", RUN_OF_ANOTHER, {}, { do: "take-over" }],
  ["the fourth crash", recordIn("running", { crashes: 3 }), {}, { do: "take-over" }],
  ["the fifth crash", recordIn("running", { crashes: 4 }), {}, { do: "dead-letter" }],
  ["four crashes, but handed back since", recordIn("queued", { crashes: 4 }), {}, { do: "claim" }],
])("a delivery when %s", (_when, seen, facts, expected) => {
  expect(onDelivery(seen, ITEM, { ...FACTS, ...facts })).toEqual(expected);
});

test.each<[string, Parameters<typeof onFenced>[0], boolean, "ack" | "leave"]>([
  ["a newer generation", recordIn("queued", { generation: 2 }), false, "ack"],
  ["an end", recordIn("cancelled"), false, "ack"],
  ["a pause", recordIn("paused"), false, "ack"],
  ["an erased job", erasedRecord(), false, "ack"],
  ["a run by another item that is still there", RUN_OF_ANOTHER, true, "ack"],
  ["a run by another item that is gone", RUN_OF_ANOTHER, false, "leave"],
  ["a run by the same item: an ack would take it from the successor", recordIn("running"), false, "leave"],
  ["a queued job", recordIn("queued"), false, "leave"],
  ["nothing", null, false, "leave"],
])("a fenced run that finds %s", (_what, seen, otherItemAlive, expected) => {
  expect(onFenced(seen, ITEM, { otherItemAlive })).toBe(expected);
});
