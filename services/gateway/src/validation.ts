import type { FieldError } from "@longhaul/contracts";
import type { FastifySchemaCompiler } from "fastify";
import type { ZodType, z } from "zod";
import { ProblemError } from "./problem-error.ts";

/** More errors than a person reads; 1,000 bad file ids must not make an answer larger than the request. */
const ERRORS_MAX = 100;

/** A JSON pointer as a URI fragment (RFC 6901 §6): `#/fileIds/3`. */
export function pointer(path: readonly PropertyKey[]): string {
  const token = (key: PropertyKey) => encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1"));
  return path.length === 0 ? "#" : `#/${path.map(token).join("/")}`;
}

/** Every bad field of a body, each with its pointer. */
export function fieldErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues.flatMap(bodyErrors).slice(0, ERRORS_MAX);
}

function bodyErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key]), detail: "This field is not known." }));
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
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const errors = httpPart === "body" ? fieldErrors(result.error) : parameterErrors(result.error);
    return {
      error: new ProblemError("VALIDATION_ERROR", "Some fields are not valid; `errors` names each.", { errors }),
    };
  };
};

function parameterErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues.map((issue) => ({ parameter: issue.path.map(String).join("."), detail: detailOf(issue) }));
}
