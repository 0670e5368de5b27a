import { expect, test } from "vitest";
import { bar, megabytes } from "./progress-bar.ts";

test("the bar fills from left to right", () => {
  expect(bar(0)).toBe(`[${"-".repeat(30)}]   0 %`);
  expect(bar(50)).toBe(`[${"#".repeat(15)}${"-".repeat(15)}]  50 %`);
  expect(bar(100)).toBe(`[${"#".repeat(30)}] 100 %`);
});

test("it does not say 100 before it is so", () => {
  expect(bar(99.9)).toContain(" 99 %");
});

test("bytes are shown in megabytes", () => {
  expect(megabytes(41_943_040)).toBe("41.9 MB");
});
