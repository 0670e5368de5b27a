import { expect, test } from "vitest";
import { FrameBudget, parseClientFrame } from "./client-frames.ts";

test("a ping is read with or without its id, anything else is not", () => {
  expect(parseClientFrame('{"type":"ping"}')).toEqual({ type: "ping" });
  expect(parseClientFrame('{"type":"ping","id":"a"}')).toEqual({ type: "ping", id: "a" });
  for (const text of ["", "{", "null", "[]", '{"type":"pong"}', '{"type":"ping","id":7}']) {
    expect(parseClientFrame(text)).toBeNull();
  }
});

test("twenty frames in any ten seconds are taken", () => {
  const budget = new FrameBudget();
  for (let i = 0; i < 20; i++) expect(budget.spend(i * 100)).toBe(true);
  expect(budget.spend(9_999)).toBe(false);
  expect(budget.spend(20_000)).toBe(true);
});
