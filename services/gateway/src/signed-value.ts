import { createHmac, timingSafeEqual } from "node:crypto";
import type { z } from "zod";
import { ProblemError } from "./problem-error.ts";

/**
 * A value for the client to hand back: where the next page of a list begins, or what it has been shown.
 * @param purpose what it is good for, such as the list with all its filters
 */
export function sign(secret: string, purpose: string, value: object): string {
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${text}.${macOf(secret, purpose, text)}`;
}

/** Reads the position in a list that `sign` made. @throws ProblemError `INVALID_CURSOR` */
export function readCursor<T extends z.ZodType>(secret: string, list: string, cursor: string, shape: T): z.infer<T> {
  const position = openSigned(secret, list, cursor, shape);
  if (position !== null) return position;
  throw new ProblemError(
    "INVALID_CURSOR",
    "The cursor is not of this list with these filters; begin anew without it.",
    {
      errors: [{ parameter: "cursor", detail: "the `nextCursor` of an earlier answer, with the same filters" }],
    },
  );
}

/** What was signed for this purpose; null when it was not. */
export function openSigned<T extends z.ZodType>(
  secret: string,
  purpose: string,
  signed: string,
  shape: T,
): z.infer<T> | null {
  const [text = "", mac = ""] = signed.split(".");
  const expected = Buffer.from(macOf(secret, purpose, text));
  const given = Buffer.from(mac);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const parsed = shape.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
  return parsed.success ? parsed.data : null;
}

/** No tenant is empty, so no job id is made of these bytes (`keyedJobId`). */
function macOf(secret: string, purpose: string, text: string): string {
  return createHmac("sha256", secret).update(`\0signed\0${purpose}\0${text}`).digest("base64url").slice(0, 22);
}
