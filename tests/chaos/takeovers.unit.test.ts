import { expect, test } from "vitest";
import { type Bereaved, type Trouble, takeoversOf, type Write } from "./takeovers.ts";

const BOUND_MS = 8_000;
const killed: Bereaved = { id: "a", run: "r1", atMs: 1_000, how: "in the plan", othersReady: 2 };
const started = (atMs: number, run = "r2"): Write => ({ type: "download.started.v1", run, atMs });

function of(writes: Write[], troubles: Trouble[] = [], job = killed) {
  return takeoversOf([job], new Map([["a", writes]]), troubles, BOUND_MS).map(({ tookMs, excuses }) => [
    tookMs,
    excuses,
  ]);
}

test("the time from the kill to the next run's write, whatever is heard of the one that died", () => {
  expect(of([started(500, "r1"), started(1_001, "r1"), started(4_200)])).toEqual([[3_200, []]]);
});

test("a job that its user stopped first, and one that nobody took over, say nothing of takeovers", () => {
  expect(of([{ type: "download.paused.v1", run: null, atMs: 2_000 }, started(20_000)])).toEqual([]);
  expect(of([started(500, "r1")])).toEqual([]);
});

test("what was away in that time is an excuse, what was away before or later is none", () => {
  const nats: Trouble = { with: "NATS", fromMs: 3_000, toMs: 5_000 };
  expect(of([started(12_000)], [nats])).toEqual([[11_000, ["NATS away"]]]);
  expect(of([started(2_000)], [nats])).toEqual([[1_000, []]]);
  expect(of([started(12_000)], [{ ...nats, fromMs: 9_500, toMs: 11_000 }])).toEqual([[11_000, []]]);
  expect(of([started(4_000)], [{ ...nats, fromMs: 0, toMs: 900 }])).toEqual([[3_000, []]]);
});

test("the kill itself is no excuse, another one is, and so is that nobody was there", () => {
  const kill = (atMs: number): Trouble => ({ with: "another processor", fromMs: atMs, toMs: atMs });
  expect(of([started(12_000)], [kill(1_000)])).toEqual([[11_000, []]]);
  expect(of([started(12_000)], [kill(1_000), kill(2_500)])).toEqual([[11_000, ["another processor away"]]]);
  expect(of([started(12_000)], [], { ...killed, othersReady: 0 })).toEqual([[11_000, ["no other processor ready"]]]);
});
