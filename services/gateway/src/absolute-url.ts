import type { FastifyRequest } from "fastify";

/**
 * The absolute URL of one of our paths: under `PUBLIC_URL`, else under the name by which this request reached us. A
 * request without a name (HTTP/1.0) is given the path.
 * @param publicUrl empty = not configured
 */
export function absoluteUrl(
  request: Pick<FastifyRequest, "protocol" | "host">,
  publicUrl: string,
  path: string,
): string {
  if (publicUrl !== "") return publicUrl + path;
  return request.host ? `${request.protocol}://${request.host}${path}` : path;
}
