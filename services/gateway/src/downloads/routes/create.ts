import { apiJob, type CreateLimits, createDownloadBody, LOG_FIELDS } from "@longhaul/contracts";
import { present } from "@longhaul/job";
import type { ShowOptions } from "../../live/shown.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf } from "../../plugins/caller.ts";
import { type CreatePolicy, type CreatePorts, createDownload } from "../create.ts";

export type CreateRouteOptions = {
  ports: CreatePorts;
  policy: CreatePolicy;
  limits: CreateLimits;
  show: ShowOptions;
  metrics: Pick<GatewayMetrics, "created">;
  /** Begin of the absolute URL in `Location`; empty = a path. */
  publicUrl: string;
};

/** When a client that polls should look for the first time, seconds. */
const RETRY_AFTER = "2";

/** Characters of a user agent that are kept: enough to tell clients apart, too few to fill a record. */
const USER_AGENT_MAX = 500;

/** `POST /v1/downloads` */
export function createRoute(app: App, options: CreateRouteOptions): void {
  const { ports, policy, show, metrics, publicUrl } = options;
  const schema = {
    summary: "Ask for a download",
    description: "Answers as soon as the job is stored. Follow it by its `links`, or poll it.",
    tags: ["downloads"],
    body: createDownloadBody(options.limits),
    response: { 202: apiJob.describe("The job, stored and queued") },
  };
  app.post("/v1/downloads", { schema }, async (request, reply) => {
    const { tenant, user, tier } = callerOf(request);
    const { traceparent, traceId } = request;
    const { seq, record } = await createDownload(ports, policy, {
      body: request.body,
      owner: { tenant, user, tier },
      clientIp: request.ip,
      userAgent: request.headers["user-agent"]?.slice(0, USER_AGENT_MAX) ?? null,
      createdVia: "v1",
      traceparent,
      traceId,
    });
    metrics.created(tier);
    request.log.info(
      { [LOG_FIELDS.jobId]: record.id, [LOG_FIELDS.traceId]: traceId, class: record.spec.class },
      "job created",
    );
    const job = present(record, { seq, n: 0 }, show);
    reply
      .code(202)
      .header("location", publicUrl + job.links.self)
      .header("retry-after", RETRY_AFTER);
    return reply.header("cache-control", "private, no-cache").send(job);
  });
}
