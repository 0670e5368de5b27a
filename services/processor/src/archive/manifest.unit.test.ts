import { expect, test } from "vitest";
import { manifestBytes, manifestEntry } from "./manifest.ts";

const present = [
  { fileId: 10_001, name: "file-10001.zip", sizeBytes: 5, modifiedAt: 1_700_000_000_000 },
  { fileId: 10_002, name: 'ü "x".zip', sizeBytes: 0, modifiedAt: 1_600_000_000_000 },
];
const missing = [{ fileId: 10_003, code: "FILE_NOT_FOUND" as const }];
const crc32s = ["3610a686", "00000000"];
const withCrcs = present.map((file, i) => ({ ...file, crc32: crc32s[i] ?? "" }));

test("says what is there, what is not, and why", () => {
  expect(JSON.parse(manifestBytes(withCrcs, missing).toString())).toEqual({
    complete: false,
    files: [
      { fileId: 10_001, name: "file-10001.zip", sizeBytes: 5, crc32: "3610a686" },
      { fileId: 10_002, name: 'ü "x".zip', sizeBytes: 0, crc32: "00000000" },
    ],
    missing: [{ fileId: 10_003, code: "FILE_NOT_FOUND", reason: expect.stringMatching(/does not exist/) }],
  });
});

test("reads well without a program, and is the same text each time", () => {
  expect(manifestBytes(withCrcs.slice(0, 1), []).toString()).toBe(
    '{\n"complete": true,\n"files": [\n' +
      '  {"fileId":10001,"name":"file-10001.zip","sizeBytes":5,"crc32":"3610a686"}\n],\n"missing": []\n}\n',
  );
});

test("as an entry: its length is known before the CRCs are, and its time is that of the newest file", () => {
  const entry = manifestEntry(present, missing);
  expect(entry).toMatchObject({ name: "_manifest.json", modifiedAt: 1_700_000_000_000 });
  const bytes = entry.render?.(crc32s);
  expect(bytes).toEqual(manifestBytes(withCrcs, missing));
  expect(bytes).toHaveLength(entry.sizeBytes);
});
