import type { Socket } from "node:net";
import { PROBLEMS, type ProblemCode } from "@longhaul/contracts";
import { childOf, type Random, traceIdOf } from "@longhaul/runtime";

const PROBLEM_OF: Record<string, { code: ProblemCode; detail: string }> = {
  HPE_HEADER_OVERFLOW: {
    code: "HEADERS_TOO_LARGE",
    detail: "The request's headers are larger than this server takes.",
  },
};
const OTHER = {
  code: "VALIDATION_ERROR",
  detail: "This is not an HTTP request that can be read, or it came too slowly.",
} as const;

/**
 * Answers what never became a request: Node could not parse it, or it was too slow. There is no response object then,
 * so the answer is written to the connection, which ends with it.
 * @param security the headers that every answer has
 */
export function clientErrorHandler(
  random: Pick<Random, "hex" | "id">,
  security: Readonly<Record<string, string>>,
): (error: Error & { code?: string }, socket: Socket) => void {
  const fixed = Object.entries(security)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  return (error, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const { code, detail } = PROBLEM_OF[error.code ?? ""] ?? OTHER;
    const { status, title, retryable } = PROBLEMS[code];
    const requestId = random.id();
    const body = JSON.stringify({
      type: `urn:longhaul:problem:${code.toLowerCase().replaceAll("_", "-")}`,
      title,
      status,
      detail,
      instance: "",
      code,
      traceId: traceIdOf(childOf(null, random)),
      requestId,
      retryable,
    });
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
        `${fixed}x-request-id: ${requestId}\r\nCache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  };
}
