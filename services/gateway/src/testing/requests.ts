import type { TestGateway } from "./test-gateway.ts";

/** How a client calls the gateway of a test: no redirect is followed. `post`: the body of a create, as JSON or as it is. */
export function requestsTo(gateway: () => Pick<TestGateway, "url">) {
  const call = (path: string, init?: RequestInit) => fetch(gateway().url + path, { redirect: "manual", ...init });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    call("/v1/downloads", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { call, post };
}

/** The body of an answer that is not a success, as clients read it. */
export type ProblemBody = {
  code: string;
  status: number;
  type: string;
  detail: string;
  traceId: string;
  requestId: string;
  errors?: Record<string, string>[];
};

/** @throws Error when the answer is no problem, or one that a cache may keep */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const [type, caching] = [response.headers.get("content-type"), response.headers.get("cache-control")];
  if (type !== "application/problem+json; charset=utf-8" || caching !== "no-store") {
    throw new Error(`a problem of the type ${type}, to be kept as ${caching}`);
  }
  return (await response.json()) as ProblemBody;
}
