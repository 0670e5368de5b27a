const API_PREFIX = /^\/api(?=\/(?:v1|ws)(?:\/|\?|$))/;
const TRAILING_SLASHES = /^([^?]*[^/?])\/+(?=\?|$)/;

/**
 * The path by which a request is routed: one leading `/api` before `/v1` and `/ws` is dropped, because two of the
 * published clients send it, and trailing slashes are served like the path without them, never redirected.
 * @param url path and query of the request line
 */
export function requestPath(url: string): string {
  return url.replace(API_PREFIX, "").replace(TRAILING_SLASHES, "$1");
}

/** A UUID of version-4 shape (RFC 9562 §5.4). */
const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The job id of a path, lower case; null when it has another shape, and then no job can have it. */
export function pathJobId(text: string): string | null {
  const id = text.toLowerCase();
  return JOB_ID.test(id) ? id : null;
}
