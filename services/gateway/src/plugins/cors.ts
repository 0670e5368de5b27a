import type { App } from "./app.ts";

const EXPOSED = [
  "ETag",
  "Location",
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "X-Request-Id",
  "Idempotent-Replayed",
  "Idempotency-Key-Expires",
  "Preference-Applied",
  "Deprecation",
  "Sunset",
  "Link",
].join(", ");

const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Prefer",
    "Last-Event-ID",
    "X-User-Id",
    "X-Request-Id",
    "Api-Dialect",
    "traceparent",
    "tracestate",
  ].join(", "),
  "access-control-max-age": "3600",
  "cache-control": "no-store",
} as const;

/** Cross-origin access (https://fetch.spec.whatwg.org/#http-cors-protocol) for the allowed origins, with credentials. */
export function cors(app: App, allowedOrigins: readonly string[]): void {
  const allowed = new Set(allowedOrigins);
  app.addHook("onRequest", (request, reply, done) => {
    // Always: a cache must not give one origin's answer to another.
    reply.header("vary", "Origin");
    const origin = request.headers.origin;
    if (origin === undefined || !allowed.has(origin)) return done();
    reply.header("access-control-allow-origin", origin);
    reply.header("access-control-allow-credentials", "true");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      reply.header("access-control-expose-headers", EXPOSED);
      return done();
    }
    reply.code(204).headers(PREFLIGHT).send();
  });
}

/** Whether a browser page of this origin may open a socket: CORS does not guard those. No origin = not a browser. */
export function originAllowed(origin: string | undefined, host: string, allowedOrigins: readonly string[]): boolean {
  if (origin === undefined || allowedOrigins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
