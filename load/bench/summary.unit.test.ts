import { expect, test } from "vitest";
import type { Measurement, Subject } from "./measurement.ts";
import { median } from "./measurement.ts";
import { summarize, table } from "./summary.ts";

const subject = (name: string, against?: string): Subject => ({
  name,
  unit: "jobs/s",
  ...(against === undefined ? {} : { against }),
  prepare: () => Promise.resolve(null),
  measure: () => Promise.reject(new Error("not measured here")),
  close: () => Promise.resolve(),
});
const round = (name: string, rate: number, cpuMicros: number | null = null) => {
  const measurement: Measurement = { rate, cpuMicros, rssMib: null };
  return { subject: name, othersCpuPercent: 0, measurement };
};

test("the median of an even number is between the middle two", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test("ratios are made within a round, so that a slow moment of the machine does not count", () => {
  const rounds = [
    round("ours", 200, 5),
    round("theirs", 100),
    round("ours", 20, 7),
    round("theirs", 10),
    round("ours", 90),
    round("theirs", 90),
  ];
  const [ours, theirs] = summarize([subject("ours", "theirs"), subject("theirs")], rounds);
  expect(ours).toMatchObject({ rate: 90, least: 20, most: 200, cpuMicros: 6, ratio: 2, against: "theirs" });
  expect(theirs).toMatchObject({ rate: 90, ratio: null, against: null });
});

test("a reference that could not be measured leaves no ratio", () => {
  const lines = summarize([subject("ours", "theirs")], [round("ours", 1234)]);
  expect(lines[0]?.ratio).toBeNull();
  expect(table(lines)).toEqual([
    "subject  median        least … most   CPU µs each  RSS MiB  ratio",
    "ours     1,234 jobs/s  1,234 … 1,234  –            –        –",
  ]);
});
