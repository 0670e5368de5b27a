import type { App } from "./app.ts";

/**
 * Headers of every answer: the request's id, and what keeps a browser from reading more into an answer than it is. The
 * API serves data only, so nothing may be loaded from, framed or guessed out of an answer.
 * @param secure whether clients reach us by https, and shall not fall back to http for a year
 */
export function standardHeaders(app: App, { secure }: { secure: boolean }): void {
  const fixed: Record<string, string> = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    ...(secure ? { "strict-transport-security": "max-age=31536000; includeSubDomains" } : {}),
  };
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(fixed);
    reply.header("x-request-id", request.id);
    done();
  });
}
