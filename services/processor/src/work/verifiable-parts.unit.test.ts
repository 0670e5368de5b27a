import type { UploadedPart } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { layout, plainLayout } from "../archive/layout.ts";
import type { PlannedFile } from "../source/source.ts";
import { verifiableParts } from "./verifiable-parts.ts";

const PART = 100;

const fileOf = (sizeBytes: number, etag: string | null): PlannedFile => {
  return { fileId: 70_000, name: "f", sizeBytes, etag, crc32: null, modifiedAt: new Date(0) };
};
const entryOf = (file: PlannedFile) => ({ ...file, modifiedAt: file.modifiedAt.getTime() });
/** Headers of 31 bytes: the entries begin at 0, 331 and 662, and the last ends at 993. */
const archiveOf = (...etags: (string | null)[]) => {
  const files = etags.map((etag) => fileOf(300, etag));
  return { files, plan: layout(files.map(entryOf)) };
};
const partsOf = (...numbers: number[]) =>
  numbers.map((number): UploadedPart => [number, `"${number}"`, "00000000", "00000000"]);

/** The numbers of the parts that are kept. */
function kept(numbers: number[], { files, plan }: ReturnType<typeof archiveOf>): number[] {
  return verifiableParts(partsOf(...numbers), plan, PART, files).map(([number]) => number);
}

test.each([
  ["all files have versions", ['"a"', '"b"', '"c"'], [1, 2, 5, 6], [1, 2, 5, 6]],
  ["the second has none and is cut at its end", ['"a"', null, '"c"'], [1, 2, 3, 4, 5, 6], [1, 2, 3]],
  ["the second has none and is cut at its begin", ['"a"', null, '"c"'], [1, 2, 3, 5, 6, 7], [1, 2, 3]],
  ["the second has none and is whole", ['"a"', null, '"c"'], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]],
  ["the first has none and is cut", [null, '"b"', '"c"'], [1, 2, 3], []],
  ["the last has none and has not begun", ['"a"', '"b"', null], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]],
])("%s", (_, etags, standing, expected) => {
  expect(kept(standing, archiveOf(...etags))).toEqual(expected);
});

test("a plain file without a version is made anew, one with a version is gone on with", () => {
  const planOf = (etag: string | null) => ({
    files: [fileOf(1_000, etag)],
    plan: plainLayout(entryOf(fileOf(1_000, etag))),
  });
  expect(kept([1, 2, 3], planOf(null))).toEqual([]);
  expect(kept([1, 2, 3], planOf('"v"'))).toEqual([1, 2, 3]);
});
