import { expect, test } from "vitest";
import { isAtLeast, versionIn } from "./version.ts";

test.each([
  ["nats-server: v2.15.1", [2, 15, 1]],
  ["version 8000GB 4.48 pypi linux amd64", [4, 48, 0]],
  ["secantusd-rs 0.5.3-beta.193", [0, 5, 3]],
  ["db version v8.0.4\nBuild Info: {", [8, 0, 4]],
  ["no number here", null],
])("the version in %j", (text, version) => {
  expect(versionIn(text)).toEqual(version);
});

test.each([
  [[2, 15, 0], [2, 15], true],
  [[2, 14, 9], [2, 15], false],
  [[3, 0, 0], [2, 15], true],
  [[8, 0, 0], [8], true],
  [[7, 9, 9], [8], false],
])("%j is at least %j: %s", (found, minimum, answer) => {
  expect(isAtLeast(found, minimum)).toBe(answer);
});
