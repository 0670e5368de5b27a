import type { FieldError } from "@longhaul/contracts";
import type { FastifySchemaCompiler } from "fastify";
import type { ZodType, z } from "zod";
import { ProblemError } from "./problem-error.ts";

/** More errors than a person reads; 1,000 bad file ids must not make an answer larger than the request. */
const ERRORS_MAX = 100;

/** A JSON pointer as a URI fragment (RFC 6901 §6): `#/fileIds/3`. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "#" : `#/${path.map(token).join("/")}`;
}

const token = (key: PropertyKey) => encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1"));

/** Every bad field of a body, each with its pointer; an empty list when there is none. */
export function fieldErrors(body: unknown, error: z.core.$ZodError | undefined): FieldError[] {
  return [...prototypeErrors(body), ...(error?.issues ?? []).flatMap(bodyErrors)].slice(0, ERRORS_MAX);
}

/** The one name that zod does not report everywhere: in maps it drops it without a word, and with it what was sent. */
const PROTOTYPE = "__proto__";

function prototypeErrors(body: unknown): FieldError[] {
  const found: FieldError[] = [];
  const places = [{ path: "#", value: body }];
  for (const { path, value } of places) {
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, PROTOTYPE)) {
      found.push({ pointer: `${path}/${PROTOTYPE}`, detail: "This name cannot be used." });
    }
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      if (typeof inner === "object") places.push({ path: `${path}/${token(key)}`, value: inner });
    }
  }
  return found;
}

function bodyErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.filter((key) => key !== PROTOTYPE);
    return keys.map((key) => ({ pointer: pointer([...issue.path, key]), detail: "This field is not known." }));
  }
  return [{ pointer: pointer(issue.path), detail: detailOf(issue) }];
}

function detailOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_union") return [...new Set(issue.errors.flat().map(detailOf))].join(", or ");
  if (issue.code === "invalid_key") return `Invalid name: ${issue.issues.map(detailOf).join(", ")}`;
  return issue.message;
}

/** Checks a part of a request with its zod schema, and hands its parsed form on. */
export const validatorCompiler: FastifySchemaCompiler<ZodType> = ({ schema, httpPart }) => {
  return (data) => {
    const { data: value, error } = schema.safeParse(data);
    const errors = httpPart === "body" ? fieldErrors(data, error) : parameterErrors(error);
    if (errors.length === 0) return { value };
    return {
      error: new ProblemError("VALIDATION_ERROR", "Some fields are not valid; `errors` names each.", { errors }),
    };
  };
};

function parameterErrors(error: z.core.$ZodError | undefined): FieldError[] {
  const issues = error?.issues ?? [];
  return issues.map((issue) => ({ parameter: issue.path.map(String).join("."), detail: detailOf(issue) }));
}
