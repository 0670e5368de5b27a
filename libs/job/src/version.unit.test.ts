import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions, formatVersion, parseVersion } from "./version.ts";

const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const version = fc.record({ seq: whole, n: whole });

test("a version reads back as it was printed", () => {
  fc.assert(
    fc.property(version, (v) => {
      expect(parseVersion(formatVersion(v))).toEqual(v);
    }),
  );
});

test.each([
  ["42.10", "42.9"],
  ["42.1", "42.0"],
  ["43.0", "42.999"],
  ["100.0", "99.0"],
  ["9007199254740991.1", "9007199254740991.0"],
])("%s is newer than %s", (newer, older) => {
  const [a, b] = [parseVersion(newer), parseVersion(older)];
  if (a === null || b === null) throw new Error("not a version");
  expect(compareVersions(a, b)).toBeGreaterThan(0);
  expect(compareVersions(b, a)).toBeLessThan(0);
  expect(compareVersions(a, a)).toBe(0);
});

test.each([
  "",
  "42",
  "42.",
  ".7",
  "42.7.1",
  "-1.0",
  "042.7",
  "42.07",
  "4e1.0",
  " 42.7",
  "42.7\n",
  "42,7",
  '"42.7"',
  "9007199254740992.0",
  "99999999999999999999.0",
])("%j is no version", (text) => {
  expect(parseVersion(text)).toBeNull();
});
