import type { App } from "./app.ts";

/**
 * What keeps a browser from reading more into an answer than it is. The API serves data only, so nothing may be loaded
 * from, framed or guessed out of an answer.
 * @param publicUrl when clients reach us by https, they shall not fall back to http for a year
 */
export function securityHeaders(publicUrl: string): Readonly<Record<string, string>> {
  return {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    ...(publicUrl.startsWith("https://") ? { "strict-transport-security": "max-age=31536000; includeSubDomains" } : {}),
  };
}

/** Headers of every answer that becomes a request: the security headers and the request's id. */
export function standardHeaders(app: App, security: Readonly<Record<string, string>>): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(security);
    reply.header("x-request-id", request.id);
    done();
  });
}
