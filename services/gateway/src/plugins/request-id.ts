import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

const SANE = /^[\w.:-]{1,128}$/;

/** The id of a request: what the client sent in `x-request-id` if it is fit for logs and headers, else a new UUID. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}
