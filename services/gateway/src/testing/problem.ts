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
