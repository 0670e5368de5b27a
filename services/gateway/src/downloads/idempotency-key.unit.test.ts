import { expect, test } from "vitest";
import { ProblemError } from "../problem-error.ts";
import { idempotencyKey, keyExpiresAt, keyedJobId } from "./idempotency-key.ts";

const SECRET = "a secret for tests only";
const ADA = { tenant: "acme", user: "ada" };

test("a key is the same with and without quotes", () => {
  expect(idempotencyKey("k-1")).toBe("k-1");
  expect(idempotencyKey('"k-1"')).toBe("k-1");
  expect(idempotencyKey('"')).toBe('"');
  expect(idempotencyKey("x".repeat(255))).toHaveLength(255);
  expect(idempotencyKey(`"${"x".repeat(255)}"`)).toHaveLength(255);
  expect(idempotencyKey(undefined)).toBeNull();
});

test.each(["", '""', "a b", "a, b", "x".repeat(256), "käse", "a\tb"])("%j is no key", (header) => {
  let thrown: unknown;
  try {
    idempotencyKey(header);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProblemError);
  expect(thrown).toMatchObject({ code: "INVALID_IDEMPOTENCY_KEY", status: 400 });
});

test("the id of a key is a UUID of version 4, and belongs to one key of one user", () => {
  const id = keyedJobId(SECRET, ADA, "k");
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(keyedJobId(SECRET, { ...ADA }, "k")).toBe(id);
  const others = [
    keyedJobId(SECRET, ADA, "k2"),
    keyedJobId(SECRET, { ...ADA, user: "eve" }, "k"),
    keyedJobId(SECRET, { ...ADA, tenant: "other" }, "k"),
    keyedJobId("another secret, as long", ADA, "k"),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});

test("a key stands for its job for a day at least", () => {
  expect(keyExpiresAt("2026-03-01T12:00:00.000Z")).toBe("2026-03-02T12:00:00.000Z");
});
