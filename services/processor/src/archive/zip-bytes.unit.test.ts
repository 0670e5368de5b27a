import { expect, test } from "vitest";
import {
  centralEntry,
  centralEntryLength,
  endRecords,
  endRecordsLength,
  localHeader,
  localHeaderLength,
} from "./zip-bytes.ts";

const GIB_4 = 2 ** 32;
const entry = { name: "ü.txt", sizeBytes: 5, crc32: 0x3610a686, modifiedAt: Date.UTC(2024, 1, 29, 13, 37, 59, 999) };

/** Hex without the blanks that make it readable. */
const bytesOf = (...hex: string[]) => Buffer.from(hex.join("").replaceAll(" ", ""), "hex");

test("local header of a small entry", () => {
  expect(localHeader(entry)).toEqual(
    bytesOf(
      "504b0304 0a00 0008 0000", // signature, version 1.0, UTF-8, stored
      "bd6c 5d58", // 13:37:58, 2024-02-29
      "86a61036 05000000 05000000", // CRC, both sizes
      "0600 0000 c3bc2e747874", // name of 6 bytes, no extra field
    ),
  );
});

test("central directory entry of a small entry", () => {
  expect(centralEntry(entry, 0x1234)).toEqual(
    bytesOf(
      "504b0102 3f03 0a00 0008 0000", // signature, made by 6.3 on Unix, version 1.0, UTF-8, stored
      "bd6c 5d58 86a61036 05000000 05000000",
      "0600 0000 0000 0000 0000", // name, extra, comment, disk, internal attributes
      "0000a481 34120000 c3bc2e747874", // -rw-r--r--, offset, name
    ),
  );
});

test("end record of a small archive", () => {
  expect(endRecords({ entries: 1, offset: 41, sizeBytes: 52 })).toEqual(
    bytesOf("504b0506 0000 0000 0100 0100 34000000 29000000 0000"),
  );
});

test("local header from 4 GiB - 1 on: both sizes in a ZIP64 field", () => {
  const sizeBytes = GIB_4 - 1;
  const header = localHeader({ ...entry, sizeBytes });
  expect(header.subarray(4, 6)).toEqual(bytesOf("2d00"));
  expect(header.subarray(18, 30)).toEqual(bytesOf("ffffffff ffffffff 0600 1400"));
  expect(header.subarray(36)).toEqual(bytesOf("0100 1000 ffffffff00000000 ffffffff00000000"));
  expect(localHeader({ ...entry, sizeBytes: sizeBytes - 1 })).toHaveLength(36);
});

test("central directory entry: a ZIP64 field for those values that need one", () => {
  const bigFile = centralEntry({ ...entry, sizeBytes: GIB_4 }, 7);
  expect(bigFile.subarray(20, 32)).toEqual(bytesOf("ffffffff ffffffff 0600 1400"));
  expect(bigFile.subarray(42, 46)).toEqual(bytesOf("07000000"));
  expect(bigFile.subarray(52)).toEqual(bytesOf("0100 1000 0000000001000000 0000000001000000"));

  const farAway = centralEntry(entry, GIB_4 - 1);
  expect(farAway.subarray(6, 8)).toEqual(bytesOf("2d00"));
  expect(farAway.subarray(20, 32)).toEqual(bytesOf("05000000 05000000 0600 0c00"));
  expect(farAway.subarray(42, 46)).toEqual(bytesOf("ffffffff"));
  expect(farAway.subarray(52)).toEqual(bytesOf("0100 0800 ffffffff00000000"));

  const both = centralEntry({ ...entry, sizeBytes: GIB_4 + 1 }, GIB_4 + 2);
  expect(both.subarray(52)).toEqual(bytesOf("0100 1800 0100000001000000 0100000001000000 0200000001000000"));
});

test("end records: ZIP64 from 65,535 entries on, with what fits still in the old record", () => {
  expect(endRecords({ entries: 65_534, offset: 0, sizeBytes: 0 })).toHaveLength(22);
  expect(endRecords({ entries: 65_535, offset: 0x10, sizeBytes: 0x20 })).toEqual(
    bytesOf(
      "504b0606 2c00000000000000 3f03 2d00 00000000 00000000",
      "ffff000000000000 ffff000000000000 2000000000000000 1000000000000000",
      "504b0607 00000000 3000000000000000 01000000",
      "504b0506 0000 0000 ffff ffff 20000000 10000000 0000",
    ),
  );
});

test("end records: ZIP64 for a directory beyond 4 GiB", () => {
  const bytes = endRecords({ entries: 2, offset: GIB_4 + 5, sizeBytes: 0x30 });
  expect(bytes.readBigUInt64LE(48)).toBe(BigInt(GIB_4 + 5));
  expect(bytes.readBigUInt64LE(64)).toBe(BigInt(GIB_4 + 0x35));
  expect(bytes.subarray(76 + 8)).toEqual(bytesOf("0200 0200 30000000 ffffffff 0000"));
});

test("times outside 1980 to 2107 become the first and the last that the format can say", () => {
  const timeOf = (modifiedAt: number) => localHeader({ ...entry, modifiedAt }).subarray(10, 14);
  expect(timeOf(0)).toEqual(bytesOf("0000 2100"));
  expect(timeOf(Date.UTC(2200, 0))).toEqual(bytesOf("7dbf 9fff"));
});

test("lengths are known without the bytes", () => {
  for (const sizeBytes of [0, GIB_4 - 2, GIB_4 - 1, GIB_4]) {
    for (const offset of [0, GIB_4 - 2, GIB_4 - 1, GIB_4]) {
      const fields = { ...entry, sizeBytes };
      expect(localHeaderLength(fields)).toBe(localHeader(fields).length);
      expect(centralEntryLength(fields, offset)).toBe(centralEntry(fields, offset).length);
      const directory = { entries: 3, offset, sizeBytes };
      expect(endRecordsLength(directory)).toBe(endRecords(directory).length);
    }
  }
});
