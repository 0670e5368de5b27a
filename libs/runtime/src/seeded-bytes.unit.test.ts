import { expect, test } from "vitest";
import { type SeededOptions, seededChunks } from "./seeded-bytes.ts";

const bytes = (fileId: number, size: number, options?: SeededOptions) =>
  Buffer.concat([...seededChunks(fileId, size, options)]);

test("an id and a seed always make the same bytes, another of either makes others", () => {
  expect(bytes(70_000, 300_001)).toEqual(bytes(70_000, 300_001));
  expect(bytes(70_000, 1000)).not.toEqual(bytes(70_001, 1000));
  expect(bytes(70_000, 1000)).not.toEqual(bytes(70_000, 1000, { seed: 2 }));
});

test.each([0, 1, 262_143, 262_144, 262_145, 1_000_000])("%i bytes are exactly that many", (size) => {
  expect(bytes(70_000, size)).toHaveLength(size);
});

test("a shorter file is the beginning of a longer one", () => {
  expect(bytes(70_000, 400_000).subarray(0, 1000)).toEqual(bytes(70_000, 1000));
});

test.each([1, 15, 16, 17, 4_095, 262_144, 300_000, 300_001, 400_000])(
  "from byte %i on they are the same, in chunks of any size",
  (offset) => {
    const whole = bytes(70_000, 300_001);
    expect(bytes(70_000, 300_001, { offset })).toEqual(whole.subarray(offset));
    expect(bytes(70_000, 300_001, { offset, chunkBytes: 1_001 })).toEqual(whole.subarray(offset));
  },
);

test("an offset beyond 4 GiB does not begin the bytes anew", () => {
  const offset = 2 ** 36;
  const [far] = seededChunks(70_000, offset + 100, { offset });
  expect(far).toHaveLength(100);
  expect(far).not.toEqual(bytes(70_000, 100));
});
