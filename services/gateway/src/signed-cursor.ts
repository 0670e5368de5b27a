import { createHmac, timingSafeEqual } from "node:crypto";
import type { z } from "zod";
import { ProblemError } from "./problem-error.ts";

/**
 * Where the next page of a list begins, for the client to hand back.
 * @param list the list with all its filters: a cursor is good for exactly that
 */
export function signCursor(secret: string, list: string, position: object): string {
  const text = Buffer.from(JSON.stringify(position)).toString("base64url");
  return `${text}.${macOf(secret, list, text)}`;
}

/** Reads what `signCursor` made. @throws ProblemError `INVALID_CURSOR` */
export function readCursor<T extends z.ZodType>(secret: string, list: string, cursor: string, shape: T): z.infer<T> {
  const [text = "", mac = ""] = cursor.split(".");
  const expected = Buffer.from(macOf(secret, list, text));
  const given = Buffer.from(mac);
  if (given.length === expected.length && timingSafeEqual(given, expected)) {
    const parsed = shape.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
    if (parsed.success) return parsed.data;
  }
  throw new ProblemError(
    "INVALID_CURSOR",
    "The cursor is not of this list with these filters; begin anew without it.",
    {
      errors: [{ parameter: "cursor", detail: "the `nextCursor` of an earlier answer, with the same filters" }],
    },
  );
}

/** No tenant is empty, so no job id is made of these bytes (`keyedJobId`). */
function macOf(secret: string, list: string, text: string): string {
  return createHmac("sha256", secret).update(`\0cursor\0${list}\0${text}`).digest("base64url").slice(0, 22);
}
