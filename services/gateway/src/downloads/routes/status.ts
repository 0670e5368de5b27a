import { apiJob } from "@longhaul/contracts";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Watches } from "../../live/watches.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf } from "../../plugins/caller.ts";
import { answerJob } from "../job-answer.ts";
import { readJob, type Seen } from "../read-job.ts";
import { isCurrent, type NamedVersion, namedVersion } from "../validators.ts";

export type StatusRouteOptions = { watches: Watches; metrics: Pick<GatewayMetrics, "statusChecked"> };

/** `GET /v1/downloads/{id}` */
export function statusRoute(app: App, { watches, metrics }: StatusRouteOptions): void {
  const schema = {
    summary: "A download as it stands",
    description:
      "Its version is the ETag: with `If-None-Match` an unchanged job is answered with 304. `stale` and no ETag while the server that would know better is away.",
    tags: ["downloads"],
    params: z.object({ id: z.string().describe("The id of a download") }),
    response: { 200: apiJob, 304: z.null().describe("Nothing newer") },
  };
  app.get("/v1/downloads/:id", { schema }, (request, reply) => {
    metrics.statusChecked();
    const named = namedVersion(request.headers["if-none-match"]);
    const seen = readJob(watches, request.params.id, callerOf(request), named === "*" ? null : named);
    return seen instanceof Promise ? seen.then((late) => answer(reply, late, named)) : answer(reply, seen, named);
  });
}

function answer(reply: FastifyReply, { shown, stale, named }: Seen, given: NamedVersion): void {
  if (stale) reply.header("cache-control", "private, no-cache").send(shown.staleJob);
  else if (!isCurrent(given === "*" ? given : named, shown.version)) answerJob(reply, shown);
  else reply.code(304).header("cache-control", "private, no-cache").header("etag", shown.etag).send();
}
