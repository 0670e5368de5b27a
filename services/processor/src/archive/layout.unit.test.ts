import fc from "fast-check";
import { expect, test } from "vitest";
import type { ArchiveEntry } from "./archive-entry.ts";
import { layout } from "./layout.ts";
import { ARCHIVE_MAX_BYTES, minimumBuffers, PART_MAX_BYTES, PART_MIN_BYTES, partSizeFor } from "./part-size.ts";
import { centralEntry, endRecords, localHeader } from "./zip-bytes.ts";

const GIB = 2 ** 30;
const entryOf = (name: string, sizeBytes: number, crc32: string | null = null): ArchiveEntry => ({
  name,
  sizeBytes,
  crc32,
  modifiedAt: 0,
});

const anyEntry = fc.record({
  name: fc.string({ minLength: 1, maxLength: 300 }),
  sizeBytes: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 4 * GIB - 3, max: 4 * GIB + 3 })),
});

test("every record begins where the one before it ends, also beyond 4 GiB", () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 30 }), (fields) => {
      const plan = layout(fields.map(({ name, sizeBytes }) => entryOf(name, sizeBytes)));
      let offset = 0;
      let directory = 0;
      for (const [i, entry] of plan.entries.entries()) {
        const header = { ...entry, crc32: 0 };
        const dataOffset = offset + localHeader(header).length;
        expect(plan.places[i]).toEqual({ headerOffset: offset, dataOffset, endOffset: dataOffset + entry.sizeBytes });
        directory += centralEntry(header, offset).length;
        offset = dataOffset + entry.sizeBytes;
      }
      expect(plan).toMatchObject({ directoryOffset: offset, directorySizeBytes: directory });
      const end = endRecords({ entries: fields.length, offset, sizeBytes: directory });
      expect(plan.sizeBytes).toBe(offset + directory + end.length);
    }),
  );
});

test("100,000 entries of 5 GiB each are laid out exactly", () => {
  const plan = layout(Array.from({ length: 100_000 }, (_, i) => entryOf(String(100_000 + i), 5 * GIB)));
  const each = 30 + 6 + 20 + 5 * GIB;
  expect(plan.places.at(-1)?.headerOffset).toBe(99_999 * each);
  expect(plan.directoryOffset).toBe(100_000 * each);
  // The first entry's offset is 0 and needs no room.
  expect(plan.directorySizeBytes).toBe(100_000 * (46 + 6 + 28) - 8);
  expect(plan.sizeBytes).toBe(plan.directoryOffset + plan.directorySizeBytes + 56 + 20 + 22);
});

test("no entries: just an end record", () => {
  expect(layout([])).toMatchObject({ directoryOffset: 0, sizeBytes: 22 });
});

test.each([
  ["an empty name", entryOf("", 1)],
  ["a name without room in a header", entryOf("x".repeat(65_536), 1)],
  ["a negative size", entryOf("a", -1)],
  ["half a byte", entryOf("a", 0.5)],
  ["a size that no number can say", entryOf("a", Number.MAX_SAFE_INTEGER)],
])("refuses %s", (_what, entry) => {
  expect(() => layout([entry])).toThrow(RangeError);
});

test("part sizes", () => {
  expect(partSizeFor(22)).toBe(PART_MIN_BYTES);
  expect(partSizeFor(9000 * PART_MIN_BYTES)).toBe(PART_MIN_BYTES);
  expect(partSizeFor(9000 * PART_MIN_BYTES + 1)).toBe(PART_MIN_BYTES + 1);
  expect(partSizeFor(ARCHIVE_MAX_BYTES)).toBe(PART_MAX_BYTES);
  expect(() => partSizeFor(ARCHIVE_MAX_BYTES + 1)).toThrow(RangeError);
});

test.each([
  ["all CRCs known", [entryOf("a", 1000, "00000000")], 100, 1],
  ["an entry that ends in the part of its header", [entryOf("a", 69)], 100, 1],
  ["an entry that goes on in the next part", [entryOf("a", 70)], 100, 2],
  ["a CRC across a boundary, its entry ending in the second part", [entryOf("a", 1)], 16, 2],
  ["a CRC across a boundary, and an entry beyond", [entryOf("a", 2)], 16, 3],
  ["bytes that the archive makes itself", [{ ...entryOf("a", 500), render: () => Buffer.alloc(500) }], 100, 1],
])("buffers for %s", (_what, entries, partSize, buffers) => {
  expect(minimumBuffers(layout(entries), partSize)).toBe(buffers);
});
