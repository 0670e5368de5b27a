import { expect, test } from "vitest";
import { isCurrent, namedVersion } from "./validators.ts";

test("the newest version of a list is what the client knows", () => {
  expect(namedVersion(undefined)).toBeNull();
  expect(namedVersion('W/"42.7"')).toEqual({ seq: 42, n: 7 });
  expect(namedVersion('"42.7"')).toEqual({ seq: 42, n: 7 });
  expect(namedVersion('W/"42.9", W/"42.10","3.0"')).toEqual({ seq: 42, n: 10 });
  expect(namedVersion('W/"abc", "42"')).toBeNull();
  expect(namedVersion(" * ")).toBe("*");
});

test("the same version is current, and more progress of the same write too", () => {
  const current = { seq: 42, n: 7 };
  expect(isCurrent(null, current)).toBe(false);
  expect(isCurrent("*", current)).toBe(true);
  expect(isCurrent({ seq: 42, n: 7 }, current)).toBe(true);
  expect(isCurrent({ seq: 42, n: 8 }, current)).toBe(true);
  expect(isCurrent({ seq: 42, n: 6 }, current)).toBe(false);
  expect(isCurrent({ seq: 41, n: 99 }, current)).toBe(false);
});
