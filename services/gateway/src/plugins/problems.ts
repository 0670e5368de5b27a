import { BusError, type BusErrorCode } from "@longhaul/bus";
import { PROBLEMS, type Problem } from "@longhaul/contracts";
import { ObjectsError, type ObjectsErrorCode } from "@longhaul/objects";
import { childOf, systemRandom, traceIdOf } from "@longhaul/runtime";
import { StoreError } from "@longhaul/store";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { AWAY_RETRY_SECONDS, ProblemError } from "../problem-error.ts";
import type { App } from "./app.ts";

/** Nobody needs more of a path to find it again. */
const INSTANCE_MAX_CHARACTERS = 512;
const CONTENT_TYPE = "application/problem+json; charset=utf-8";

/** The object storage cannot serve anybody now: also when it wants to be asked less, or other credentials or buckets. */
const STORAGE_AWAY: ReadonlySet<ObjectsErrorCode> = new Set([
  "UNAVAILABLE",
  "TIMEOUT",
  "RATE_LIMITED",
  "DENIED",
  "NO_BUCKET",
]);

/** Every answer that is not a success, as RFC 9457 `application/problem+json`; never kept by any cache. */
export function problems(app: App, allowedMethods: (path: string) => string[]): void {
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allow = allowedMethods(path).join(", ");
    const error =
      allow === ""
        ? new ProblemError("NOT_FOUND", `There is nothing at ${path}.`)
        : new ProblemError("METHOD_NOT_ALLOWED", `${request.method} is not possible here; ${allow} is.`, { allow });
    return sendProblem(request, reply, error);
  });
}

/** Answers an error of whatever kind; the only place that knows which error is which answer. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error, request.routeOptions.bodyLimit);
  if (problem.status >= 500) {
    const fields = {
      err: error,
      code: problem.code,
      trace_id: request.traceId,
      requestId: request.id,
      route: request.routeOptions.url,
    };
    if (problem.code === "INTERNAL_ERROR") request.log.error(fields, "a request failed");
    else request.log.warn(fields, "a request could not be served");
  }
  return sendProblem(request, reply, problem);
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: ProblemError): FastifyReply {
  const { retryAfterSeconds, allow, acceptEncoding, ...members } = error.extra;
  const { status, title, retryable } = PROBLEMS[error.code];
  const body: Omit<Problem, "errors" | "allowed"> = {
    type: `urn:longhaul:problem:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail: error.message,
    instance: request.originalUrl.slice(0, INSTANCE_MAX_CHARACTERS),
    code: error.code,
    // What fails before routing has none of our decorations, and its trace begins here.
    traceId:
      request.traceId ?? traceIdOf(childOf(request.headers.traceparent as string | undefined, systemRandom)) ?? "",
    requestId: request.id,
    retryable,
    ...members,
  };
  reply.header("x-request-id", request.id);
  reply.code(status).header("content-type", CONTENT_TYPE).header("cache-control", "no-store");
  // A refused handshake ends its connection, and the client must not send the next request over it.
  if (request.ws) reply.header("connection", "close");
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  if (allow !== undefined) reply.header("allow", allow);
  if (acceptEncoding !== undefined) reply.header("accept-encoding", acceptEncoding);
  return reply.serializer(JSON.stringify).send(body);
}

function toProblem(error: unknown, bodyLimit: number | undefined): ProblemError {
  if (error instanceof ProblemError) return error;
  const dependency = dependencyOf(error);
  if (dependency !== null) {
    const detail = `${dependency} is away at the moment, so this cannot be answered. Nothing was changed; try again shortly.`;
    const retryAfterSeconds = askedToWaitSeconds(error) ?? AWAY_RETRY_SECONDS;
    return new ProblemError("DEPENDENCY_UNAVAILABLE", detail, { retryAfterSeconds }, { cause: error });
  }
  return frameworkProblem(error as Partial<FastifyError>, bodyLimit);
}

/** Of the bus's errors those that are no absence. */
const DEFECTS: ReadonlySet<BusErrorCode> = new Set(["REJECTED", "UNREADABLE", "TOO_LARGE"]);

/** Which server an error of a dependency speaks of; null for defects of ours, which are nobody's absence. */
function dependencyOf(error: unknown): string | null {
  if (error instanceof BusError && !DEFECTS.has(error.code)) return "The message bus";
  if (error instanceof StoreError && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT")) return "The database";
  if (error instanceof ObjectsError && STORAGE_AWAY.has(error.code)) return "The object storage";
  return null;
}

/** How long the object storage wants to be left alone, whole seconds; null = it did not say. */
function askedToWaitSeconds(error: unknown): number | null {
  if (!(error instanceof ObjectsError) || error.retryAfterMs === undefined) return null;
  return Math.max(1, Math.ceil(error.retryAfterMs / 1000));
}

/** What Fastify itself found wrong, by its codes. */
function frameworkProblem(error: Partial<FastifyError>, bodyLimit: number | undefined): ProblemError {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ProblemError(
        "PAYLOAD_TOO_LARGE",
        `The body is larger than the ${bodyLimit} bytes that this server takes. Ask for fewer files at a time.`,
      );
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new ProblemError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.");
    case "FST_ERR_BAD_URL":
      return new ProblemError("NOT_FOUND", "The path is not correctly percent-encoded, so nothing can be there.");
    default:
      // JSON that cannot be read, an empty body that says it is JSON, a length that does not fit.
      if (error.statusCode === 400) return new ProblemError("MALFORMED_JSON", "The body cannot be read as JSON.");
      return new ProblemError(
        "INTERNAL_ERROR",
        "Something went wrong on our side; the traceId finds it in our logs.",
        {},
        { cause: error },
      );
  }
}
