import { expect, test } from "vitest";
import { userHash } from "./user-hash.ts";

test("a user's hash is 22 characters that a subject can hold, the same everywhere", () => {
  expect(userHash("acme", "ada.lovelace")).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(userHash("acme", "ada.lovelace")).toBe(userHash("acme", "ada.lovelace"));
});

test("tenant and user cannot be confused", () => {
  expect(userHash("a", "bc")).not.toBe(userHash("ab", "c"));
  expect(userHash("acme", "ada")).not.toBe(userHash("other", "ada"));
});
