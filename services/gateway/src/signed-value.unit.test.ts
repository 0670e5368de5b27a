import { expect, test } from "vitest";
import { z } from "zod";
import { readCursor, sign } from "./signed-value.ts";

const SECRET = "a secret for tests only";
const shape = z.object({ seq: z.int() });

test("a cursor is good for its list and its filters, and for nothing else", () => {
  const cursor = sign(SECRET, "letters?code=A", { seq: 7 });
  expect(readCursor(SECRET, "letters?code=A", cursor, shape)).toEqual({ seq: 7 });
  const wrong = { code: "INVALID_CURSOR" };
  expect(() => readCursor(SECRET, "letters?code=B", cursor, shape)).toThrow(expect.objectContaining(wrong));
  expect(() => readCursor("another secret", "letters?code=A", cursor, shape)).toThrow(expect.objectContaining(wrong));
  const forged = `${Buffer.from('{"seq":1}').toString("base64url")}.${cursor.split(".")[1]}`;
  for (const text of ["", "x", ".", forged, `${cursor}x`]) {
    expect(() => readCursor(SECRET, "letters?code=A", text, shape)).toThrow(expect.objectContaining(wrong));
  }
});
