import { expect, test } from "vitest";
import { safeResultName } from "./result-name.ts";

test.each([
  ["holiday 2026.zip", "holiday 2026.zip"],
  ["../../etc/passwd", ".._.._etc_passwd"],
  ["C:\\x.zip", "C__x.zip"],
  ["a\u0000b\r\nc", "a_b__c"],
  ["photo\u202Egnp.exe", "photo_gnp.exe"],
  ["half \ud800 pair", "half \ufffd pair"],
  ["CON", "_CON"],
  ["nul.zip", "_nul.zip"],
  ["name. . ", "name"],
  ["e\u0301", "\u00e9"],
])("%j is offered as %j", (name, safe) => {
  expect(safeResultName(name)).toBe(safe);
});

test.each([["   "], ["."], [".."]])("nothing is left of %j", (name) => {
  expect(safeResultName(name)).toBeNull();
});
