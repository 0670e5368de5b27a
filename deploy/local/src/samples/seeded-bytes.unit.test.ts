import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { seededChunks, seededSha256 } from "./seeded-bytes.ts";

const bytes = (fileId: number, size: number) => Buffer.concat([...seededChunks(fileId, size)]);

test("an id and a size always make the same bytes", () => {
  expect(bytes(70_000, 300_001)).toEqual(bytes(70_000, 300_001));
  expect(bytes(70_000, 1000)).not.toEqual(bytes(70_001, 1000));
});

test.each([0, 1, 262_143, 262_144, 262_145, 1_000_000])("%i bytes are exactly that many", (size) => {
  expect(bytes(70_000, size)).toHaveLength(size);
});

test("a shorter file is the beginning of a longer one", () => {
  expect(bytes(70_000, 400_000).subarray(0, 1000)).toEqual(bytes(70_000, 1000));
});

test("the hash is that of the bytes", () => {
  const expected = createHash("sha256").update(bytes(70_000, 300_001)).digest("hex");
  expect(seededSha256(70_000, 300_001)).toBe(expected);
});
