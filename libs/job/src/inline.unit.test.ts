import { expect, test } from "vitest";
import { fitsInRecord } from "./inline.ts";

test("a list lies in the record up to its share of it, in bytes and not in characters", () => {
  const ids = (files: number) => Array.from({ length: files }, (_, i) => 10_000_000 + i);
  expect(fitsInRecord("fileIds", ids(1_000))).toBe(true);
  expect(fitsInRecord("fileIds", ids(1_300))).toBe(true);
  expect(fitsInRecord("fileIds", ids(1_400))).toBe(false);
  const files = (name: string) => Array.from({ length: 50 }, () => [name, 1, null, null, 0]);
  expect(fitsInRecord("plan", files("a".repeat(100)))).toBe(true);
  expect(fitsInRecord("plan", files("界".repeat(100)))).toBe(false);
  expect(fitsInRecord("parts", [])).toBe(true);
});
