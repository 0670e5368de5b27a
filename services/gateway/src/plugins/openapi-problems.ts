import { PROBLEMS, type ProblemCode, problem } from "@longhaul/contracts";
import { z } from "zod";

/** The part of an OpenAPI document that is looked at here. */
type Document = {
  paths?: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown> };
};

const ANY_ROUTE: readonly ProblemCode[] = [
  "VALIDATION_ERROR",
  "HEADERS_TOO_LARGE",
  "INTERNAL_ERROR",
  "DEPENDENCY_UNAVAILABLE",
  "REQUEST_TIMEOUT",
];
const BODY: readonly ProblemCode[] = ["MALFORMED_JSON", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"];
const WRITE: readonly ProblemCode[] = ["NOT_FOUND", "PAYLOAD_TOO_LARGE", "QUEUE_FULL"];
const CONTROL: readonly ProblemCode[] = [...WRITE, "INVALID_STATE"];

/** What each route can answer beside a success and what every route can. */
const BY_ROUTE: Readonly<Record<string, readonly ProblemCode[]>> = {
  "POST /v1/downloads": [
    ...BODY,
    "INVALID_IDEMPOTENCY_KEY",
    "IDEMPOTENCY_KEY_SPENT",
    "IDEMPOTENCY_KEY_REUSED",
    "FORBIDDEN",
    "QUEUE_FULL",
  ],
  "GET /v1/downloads/{id}": ["NOT_FOUND"],
  "DELETE /v1/downloads/{id}": WRITE,
  "GET /v1/downloads/{id}/content": [
    "NOT_FOUND",
    "INVALID_STATE",
    "JOB_FAILED",
    "NOT_READY",
    "RESULT_EXPIRED",
    "JOB_CANCELLED",
  ],
  "POST /v1/downloads/{id}/cancel": CONTROL,
  "POST /v1/downloads/{id}/pause": CONTROL,
  "POST /v1/downloads/{id}/resume": CONTROL,
  "POST /v1/downloads/{id}/retry": [...CONTROL, "RETRY_WINDOW_CLOSED"],
  "GET /v1/admin/dead-letters": ["INVALID_CURSOR", "FORBIDDEN"],
  "GET /v1/admin/dead-letters/{id}": ["FORBIDDEN", "NOT_FOUND"],
  "DELETE /v1/admin/dead-letters/{id}": [...BODY, "FORBIDDEN", "NOT_FOUND", "QUEUE_FULL"],
  "POST /v1/admin/dead-letters/{id}/redrive": [...BODY, "FORBIDDEN", ...CONTROL, "RETRY_WINDOW_CLOSED"],
  "POST /v1/admin/operations": [...BODY, "FORBIDDEN"],
  "GET /v1/admin/operations/{id}": ["FORBIDDEN", "NOT_FOUND"],
  "DELETE /v1/admin/operations/{id}": [...BODY, "FORBIDDEN", "NOT_FOUND"],
};

/**
 * An OpenAPI document, and in it for each operation the problems that it can be answered with.
 * @throws Error when a route is not in the table above
 */
export function withProblems(plain: object): object {
  const document = structuredClone(plain) as Document;
  const schemas = { ...document.components?.schemas, Problem: z.toJSONSchema(problem) };
  document.components = { ...document.components, schemas };
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const route = `${method.toUpperCase()} ${path}`;
      const codes = BY_ROUTE[route];
      if (codes === undefined) throw new Error(`The table of problems does not know ${route}.`);
      const described = operation as { responses: Record<string, unknown> };
      described.responses = { ...described.responses, ...responsesOf([...ANY_ROUTE, ...codes]) };
    }
  }
  return document;
}

/** One response for each status. */
function responsesOf(codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = Object.groupBy(new Set(codes), (code) => PROBLEMS[code].status);
  return Object.fromEntries(Object.entries(byStatus).map(([status, same = []]) => [status, responseOf(same)]));
}

function responseOf(codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}
