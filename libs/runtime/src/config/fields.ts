import { z } from "zod";

/** A whole number; the unit is in the variable's name. */
export const envInt = ({ min, max }: { min: number; max: number }) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, "must be a whole number in digits")
    .transform(Number)
    .pipe(z.int().min(min, `must be between ${min} and ${max}`).max(max, `must be between ${min} and ${max}`));

/** Exactly `true` or `false`. */
export const envBoolean = () =>
  z.enum(["true", "false"], "must be true or false").transform((value) => value === "true");

/** Any text; what is empty counts as unset before it gets here. */
export const envString = ({ max = 4096 }: { max?: number } = {}) =>
  z.string().max(max, `must not be longer than ${max} characters`);

/** One of the given words. */
export const envChoice = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, `must be ${words.length > 1 ? "one of " : ""}${words.join(", ")}`);

/** A comma list of texts without blanks around them, at least one. */
export const envList = () =>
  z
    .string()
    .transform((value) =>
      value
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
    )
    .pipe(z.array(z.string()).min(1, "must name at least one"));

/** An absolute URL with one of the given schemes, without a slash at its end. */
export const envUrl = (schemes: readonly string[] = ["http", "https"]) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1)),
      `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    )
    .transform((value) => value.replace(/\/+$/, ""));
