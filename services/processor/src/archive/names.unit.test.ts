import fc from "fast-check";
import { expect, test } from "vitest";
import { entryNames, safeEntryName } from "./names.ts";

test.each([
  ["file-10001.zip", "file-10001.zip"],
  ["a/b/c.txt", "a/b/c.txt"],
  [".hidden", ".hidden"],
  ["two..dots .zip", "two..dots .zip"],
  ["👩‍👩‍👧 family.png", "👩‍👩‍👧 family.png"],
  // Out of the folder
  ["../../etc/passwd", "etc/passwd"],
  ["/etc/passwd", "etc/passwd"],
  ["a/../../b", "a/b"],
  ["..\\..\\windows\\system.ini", "windows/system.ini"],
  ["C:\\autoexec.bat", "C_/autoexec.bat"],
  ["\\\\server\\share\\x", "server/share/x"],
  ["a/./b//c", "a/b/c"],
  [". ./x", "x"],
  ["...", "unnamed"],
  ["", "unnamed"],
  ["//", "unnamed"],
  // What a system drops, hides or takes for something else
  ["report.txt:evil.exe", "report.txt_evil.exe"],
  ['a<b>c"d|e?f*g', "a_b_c_d_e_f_g"],
  ["name. . ", "name"],
  ["  name", "name"],
  ["nul\0byte\r\n.txt", "nulbyte.txt"],
  ["photo\u202Egnp.exe", "photognp.exe"],
  ["\uFEFFbom\u2028.txt", "bom.txt"],
  ["CON", "_CON"],
  ["nul.tar.gz", "_nul.tar.gz"],
  ["a/Com1 .txt", "a/_Com1 .txt"],
  ["lpt²", "_lpt²"],
  ["console", "console"],
  [`con${" ".repeat(300)}x`, "_con"],
  ["e\u0301", "\u00E9"],
  ["\uD800x", "\uFFFDx"],
])("%j becomes %j", (name, safe) => {
  expect(safeEntryName(name)).toBe(safe);
});

test("a long name keeps its extension, and is cut between two characters", () => {
  expect(safeEntryName(`${"ü".repeat(200)}.zip`)).toBe(`${"ü".repeat(125)}.zip`);
  expect(safeEntryName("x".repeat(300))).toBe("x".repeat(255));
  expect(safeEntryName(`${"x".repeat(250)}. ${"y".repeat(60)}`)).toBe(`${"x".repeat(250)}. ${"y".repeat(3)}`);
});

test("a long path keeps its end", () => {
  const safe = safeEntryName(`${"folder/".repeat(100_000)}file.zip`);
  expect(safe).toMatch(/^(folder\/)+file\.zip$/);
  expect(safe.length).toBeLessThanOrEqual(2048);
});

test.each<[string[], string[]]>([
  [
    ["a.zip", "a.zip", "A.ZIP"],
    ["a.zip", "a (2).zip", "A (3).ZIP"],
  ],
  [
    ["a.zip", "a (2).zip", "a.zip"],
    ["a.zip", "a (2).zip", "a (3).zip"],
  ],
  [
    ["x/é", "x/e\u0301", "X/É"],
    ["x/é", "x/é (2)", "X/É (3)"],
  ],
  [
    ["straße", "STRASSE"],
    ["straße", "STRASSE (2)"],
  ],
  [["_Manifest.json"], ["_Manifest (2).json"]],
  // A file and a folder cannot have the same name either.
  [
    ["a", "a/b", "A/c"],
    ["a", "a (2)/b", "A (2)/c"],
  ],
  [
    ["a/b", "a"],
    ["a/b", "a (2)"],
  ],
])("%j are placed as %j", (names, placed) => {
  expect(entryNames(names)).toEqual(placed);
});

test("a numbered name still fits", () => {
  const [, second] = entryNames(["x".repeat(255), "X".repeat(255)]);
  expect(second).toBe(`${"X".repeat(251)} (2)`);
});

test("100,000 equal names are placed in reasonable time", () => {
  const placed = entryNames(Array.from({ length: 100_000 }, () => "a.zip"));
  expect(placed.at(-1)).toBe("a (100000).zip");
});

/** Text that attacks: pieces of the table above, in any order. */
const PIECES = [
  "/",
  "\\",
  "..",
  ".",
  " ",
  ":",
  "con",
  "NUL",
  "\0",
  "\u202E",
  "e",
  "\u0301",
  "ü",
  "👩",
  "x".repeat(130),
  "é",
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 8 })))
  .map((p) => p.join(""));

function expectSafe(name: string): void {
  expect(name).toBe(name.normalize("NFC"));
  expect(name).toBe(name.toWellFormed());
  expect(name).not.toMatch(/[\p{Cc}\p{Bidi_Control}\\:<>"|?*]/u);
  for (const segment of name.split("/")) {
    expect(segment).not.toMatch(/^$|^\s|[\s.]$/u);
    expect(segment).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)/iu);
    expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
  }
}

test("any name becomes safe, and a safe one stays", () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const safe = safeEntryName(name);
      expectSafe(safe);
      expect(safeEntryName(safe)).toBe(safe);
    }),
    { numRuns: 2000 },
  );
});

test("placed names are safe, and none is another one or a folder of it, whatever the case", () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 20 }), (names) => {
      const placed = entryNames(names);
      expect(placed).toHaveLength(names.length);
      placed.forEach(expectSafe);
      const files = new Set(placed.map((name) => name.toUpperCase()));
      expect(files.size).toBe(names.length);
      for (const file of files) {
        for (let at = file.indexOf("/"); at >= 0; at = file.indexOf("/", at + 1)) {
          expect(files).not.toContain(file.slice(0, at));
        }
      }
    }),
    { numRuns: 500 },
  );
});
