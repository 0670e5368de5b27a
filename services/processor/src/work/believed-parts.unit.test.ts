import type { UploadedPart } from "@longhaul/contracts";
import { expect, test } from "vitest";
import type { ListedPart } from "../job/ports.ts";
import { believedParts } from "./believed-parts.ts";

const named = (...numbers: number[]): UploadedPart[] =>
  numbers.map((number) => [number, `"e${number}"`, `0000000${number}`, "00000000"]);
const listed = (number: number, change: Partial<ListedPart> = {}): ListedPart => ({
  number,
  etag: `"e${number}"`,
  sizeBytes: 5,
  crc32: `0000000${number}`,
  ...change,
});
const believed = (names: UploadedPart[], parts: ListedPart[]) =>
  believedParts(names, parts, () => 5).map(([number]) => number);

test("a part is believed when the checkpoint names it and the store has it", () => {
  expect(believed(named(1, 2, 3), [listed(1), listed(3)])).toEqual([1, 3]);
});

test("a part that no checkpoint names is not believed", () => {
  expect(believed(named(1), [listed(1), listed(2)])).toEqual([1]);
  expect(believed([], [listed(1)])).toEqual([]);
});

test.each([
  ["ETag", { etag: '"other"' }],
  ["size", { sizeBytes: 4 }],
  ["checksum", { crc32: "ffffffff" }],
])("a part with another %s is not believed", (_what, change) => {
  expect(believed(named(1, 2), [listed(1, change), listed(2)])).toEqual([2]);
});

test("a store that lists no checksums is taken at its ETags", () => {
  expect(believed(named(1), [listed(1, { crc32: null })])).toEqual([1]);
});

test("of a part that is listed twice one is enough", () => {
  expect(believed(named(1), [listed(1, { etag: '"later"' }), listed(1)])).toEqual([1]);
});
