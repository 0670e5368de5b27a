import type { FastifyReply } from "fastify";
import type { Shown } from "../live/shown.ts";

/** Answers with the job as it is shown: its version is the ETag, by which it can be asked for again. */
export function answerJob(reply: FastifyReply, shown: Shown): FastifyReply {
  reply.header("cache-control", "private, no-cache").header("etag", shown.etag);
  return reply.header("content-type", "application/json; charset=utf-8").send(shown.body);
}
