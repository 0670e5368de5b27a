import { expect, test } from "vitest";
import { BulkSize } from "./bulk-size.ts";

test("a late bulk halves the size, down to a bound; bulks in time bring it back, up to a bound", () => {
  const size = new BulkSize();
  size.inTime();
  expect(size.operations).toBe(500);
  size.late();
  expect(size.operations).toBe(250);
  size.inTime();
  expect(size.operations).toBe(275);
  for (let i = 0; i < 10; i++) size.late();
  expect(size.operations).toBe(25);
  for (let i = 0; i < 19; i++) size.inTime();
  expect(size.operations).toBe(500);
});
