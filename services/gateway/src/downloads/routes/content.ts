import { type ContentLink, contentLink, type JobRecord, type JobResult } from "@longhaul/contracts";
import { allowedCommands, shownStatus } from "@longhaul/job";
import { type Bucket, contentDisposition } from "@longhaul/objects";
import type { Clock } from "@longhaul/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Watches } from "../../live/watches.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf } from "../../plugins/caller.ts";
import { AWAY_RETRY_SECONDS, ProblemError } from "../../problem-error.ts";
import { readJob } from "../read-job.ts";

export type ContentRouteOptions = {
  watches: Watches;
  /** Where results of jobs lie, and where the sources lie that jobs hand out as they are. */
  buckets: { owned: ResultBucket; borrowed: ResultBucket };
  /** Whether the bucket of such results is known to be away: a link to it would be a dead end. */
  isAway(kind: JobResult["kind"]): boolean;
  urlTtlSeconds: number;
  clock: Pick<Clock, "now">;
};
export type ResultBucket = Pick<Bucket, "presignGet" | "head">;

type Result = JobResult & { key: string };

const NOT_READY_RETRY_SECONDS = 2;

/** `GET` and `HEAD /v1/downloads/{id}/content` */
export function contentRoutes(app: App, options: ContentRouteOptions): void {
  const url = "/v1/downloads/:id/content";
  const schema = {
    summary: "The result of a download",
    description:
      "Redirects to a signed URL. With `Accept: application/json` or `?redirect=false` the URL comes as JSON.",
    tags: ["downloads"],
    params: z.object({ id: z.string() }),
    querystring: z.object({ redirect: z.enum(["true", "false"]).default("true") }),
    response: { 200: contentLink, 303: z.null().describe("Location: the signed URL") },
  };
  app.get(url, { schema, exposeHeadRoute: false }, async (request, reply) => {
    const result = await resultOf(request, request.params.id, options);
    const link = await linkTo(result, options);
    reply.header("cache-control", "no-store");
    if (request.query.redirect === "false" || acceptsJson(request.headers.accept)) return reply.send(link);
    return reply.redirect(link.url, 303);
  });
  app.head(url, { schema: { hide: true, params: schema.params } }, async (request, reply) => {
    const result = await resultOf(request, request.params.id, options);
    return answerHead(reply, result, options);
  });
}

/** A weight that says "not this" (RFC 9110 §12.4.2). */
const REFUSED = /^q=0(\.0{0,3})?$/;

/** Clients that read JSON by name want the link; `*` alone is what follows redirects. */
export function acceptsJson(accept: string | undefined): boolean {
  const ranges = (accept ?? "").toLowerCase().split(",");
  return ranges.some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    return type === "application/json" && !parameters.some((parameter) => REFUSED.test(parameter));
  });
}

async function resultOf(
  request: FastifyRequest,
  id: string,
  { watches, clock, isAway }: ContentRouteOptions,
): Promise<Result> {
  const { shown } = await readJob(watches, id, callerOf(request), null);
  const result = availableResult(shown.record, clock.now());
  if (!isAway(result.kind)) return result;
  throw new ProblemError("DEPENDENCY_UNAVAILABLE", "The object storage is away at the moment; try again shortly.", {
    retryAfterSeconds: AWAY_RETRY_SECONDS,
  });
}

/**
 * The result that a job has to hand out now.
 * @param now milliseconds since the epoch
 * @throws ProblemError that says why there is none
 */
export function availableResult(record: JobRecord, now: number): Result {
  const state = { currentStatus: shownStatus(record.status), allowed: allowedCommands(record) };
  switch (record.status) {
    case "completed":
      return unexpired(record, now);
    case "failed":
      throw new ProblemError(
        "JOB_FAILED",
        `The download has failed: ${record.error?.message ?? "no reason was kept"}`,
        state,
      );
    case "cancelled":
      throw new ProblemError("JOB_CANCELLED", "The download was cancelled; retry it, or create it again.", state);
    case "expired":
      throw new ProblemError("RESULT_EXPIRED", "The file is no longer kept; create the download again.", state);
    default:
      throw new ProblemError("NOT_READY", "The download has not ended yet; follow it, or ask again.", {
        ...state,
        retryAfterSeconds: NOT_READY_RETRY_SECONDS,
      });
  }
}

function unexpired(record: JobRecord, now: number): Result {
  const { result } = record;
  if (result === null || result.kind === "none" || result.key === null) {
    const state = { currentStatus: shownStatus(record.status), allowed: allowedCommands(record) };
    throw new ProblemError("INVALID_STATE", "This download has no file of its own to fetch.", state);
  }
  if (Date.parse(result.expiresAt) > now) return { ...result, key: result.key };
  throw new ProblemError("RESULT_EXPIRED", "The file is no longer kept; create the download again.", {
    currentStatus: "expired",
    allowed: [],
  });
}

async function linkTo(result: Result, options: ContentRouteOptions): Promise<ContentLink> {
  const { filename, sizeBytes, contentType, crc32 } = result;
  const now = options.clock.now();
  // A link that outlives its file would fail with the store's words instead of ours.
  const ttlSeconds = Math.max(
    1,
    Math.min(options.urlTtlSeconds, Math.floor((Date.parse(result.expiresAt) - now) / 1000)),
  );
  const { url, expiresAt } = await bucketOf(result, options).presignGet(result.key, {
    filename,
    contentType,
    ttlSeconds,
  });
  const expiresInSeconds = Math.max(0, Math.round((expiresAt.getTime() - now) / 1000));
  return {
    url,
    expiresAt: expiresAt.toISOString(),
    expiresInSeconds,
    filename,
    sizeBytes,
    contentType,
    checksumCrc32: crc32,
  };
}

/** What a client learns without fetching: a URL that is signed for GET refuses HEAD, so we ask the store ourselves. */
async function answerHead(reply: FastifyReply, result: Result, options: ContentRouteOptions): Promise<FastifyReply> {
  const object = await bucketOf(result, options).head(result.key);
  if (object === null) throw new ProblemError("RESULT_EXPIRED", "The file is no longer in the object storage.");
  reply.header("cache-control", "no-store").header("content-type", result.contentType).header("etag", object.etag);
  reply.header("content-disposition", contentDisposition(result.filename));
  return reply.header("content-length", String(object.sizeBytes)).send();
}

const bucketOf = (result: Result, { buckets }: ContentRouteOptions) =>
  buckets[result.kind === "borrowed" ? "borrowed" : "owned"];
