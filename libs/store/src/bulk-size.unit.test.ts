import { expect, test } from "vitest";
import { BulkSize } from "./bulk-size.ts";

test("bulks in time let the size grow, up to a bound; a late one halves it, down to a bound", () => {
  const size = new BulkSize();
  expect(size.operations).toBe(100);
  size.inTime();
  expect(size.operations).toBe(125);
  for (let i = 0; i < 20; i++) size.inTime();
  expect(size.operations).toBe(500);
  size.late();
  expect(size.operations).toBe(250);
  for (let i = 0; i < 10; i++) size.late();
  expect(size.operations).toBe(25);
});
