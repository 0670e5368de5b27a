import { apiJob, type CreateLimits, createDownloadBody, LOG_FIELDS } from "@longhaul/contracts";
import { z } from "zod";
import { absoluteUrl } from "../../absolute-url.ts";
import type { Watches } from "../../live/watches.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf } from "../../plugins/caller.ts";
import { type CreatePolicy, type CreatePorts, createDownload } from "../create.ts";
import { idempotencyKey, keyExpiresAt, keyedJobId } from "../idempotency-key.ts";
import { answerJob } from "../job-answer.ts";

export type CreateRouteOptions = {
  ports: CreatePorts;
  policy: CreatePolicy;
  limits: CreateLimits;
  watches: Watches;
  metrics: Pick<GatewayMetrics, "created">;
  /** Makes the ids of jobs that are created with a key. */
  idSecret: string;
  /** Begin of the absolute URL in `Location`; empty = from the request's Host. */
  publicUrl: string;
};

/** When a client that polls should look for the first time, seconds. */
const RETRY_AFTER = "2";

/** Characters of a user agent that are kept: enough to tell clients apart, too few to fill a record. */
const USER_AGENT_MAX = 500;

const headers = z.looseObject({
  "idempotency-key": z
    .string()
    .optional()
    .describe(
      "1 to 255 visible characters of your choice. A repeat with the same key is answered with the job as it is now and `Idempotent-Replayed: true`, for 24 hours at least (`Idempotency-Key-Expires`).",
    ),
});

/** `POST /v1/downloads` */
export function createRoute(app: App, options: CreateRouteOptions): void {
  const { ports, policy, watches, metrics, idSecret, publicUrl } = options;
  const schema = {
    summary: "Ask for a download",
    description: "Answers as soon as the job is stored. Follow it by its `links`, or poll it.",
    tags: ["downloads"],
    headers,
    body: createDownloadBody(options.limits),
    response: { 202: apiJob.describe("The job, stored and queued") },
  };
  app.post("/v1/downloads", { schema }, async (request, reply) => {
    const { tenant, user, tier } = callerOf(request);
    const key = idempotencyKey(request.headers["idempotency-key"]);
    const { traceparent, traceId } = request;
    const { seq, record, replayed } = await createDownload(ports, policy, {
      body: request.body,
      keyedId: key === null ? null : keyedJobId(idSecret, { tenant, user }, key),
      owner: { tenant, user, tier },
      clientIp: request.ip,
      userAgent: request.headers["user-agent"]?.slice(0, USER_AGENT_MAX) ?? null,
      createdVia: "v1",
      traceparent,
      traceId,
    });
    if (!replayed) metrics.created(tier);
    request.log.info(
      { [LOG_FIELDS.jobId]: record.id, [LOG_FIELDS.traceId]: traceId, class: record.spec.class, replayed },
      "job created",
    );
    if (key !== null) reply.header("idempotency-key-expires", keyExpiresAt(record.createdAt));
    if (replayed) reply.header("idempotent-replayed", "true");
    const shown = watches.shownAfter({ seq, record });
    reply.code(202).header("location", absoluteUrl(request, publicUrl, shown.job.links.self));
    return answerJob(reply.header("retry-after", RETRY_AFTER), shown);
  });
}
