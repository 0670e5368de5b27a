import {
  apiJob,
  deadLetterDetail,
  deadLetterList,
  deadLetterQuery,
  operatorsReason,
  redrivenMessage,
} from "@longhaul/contracts";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Watches } from "../../live/watches.ts";
import type { App } from "../../plugins/app.ts";
import { type AuditPorts, audited } from "../audited.ts";
import {
  type DeadLetterPolicy,
  type DeadLetterPorts,
  discardDeadLetter,
  listDeadLetters,
  type OperatorsRequest,
  redriveDeadLetter,
  showDeadLetter,
} from "../dead-letters.ts";
import { operator, reader } from "../roles.ts";

export type DeadLetterRoutesOptions = {
  ports: DeadLetterPorts;
  audit: AuditPorts;
  policy: DeadLetterPolicy;
  watches: Watches;
};

const PATH = "/v1/admin/dead-letters";
const tags = ["admin"];
const params = z.object({ id: z.string().describe("The id of a job, or of a message") });

/** `/v1/admin/dead-letters`: what failed for good, for those who run the service. */
export function deadLetterRoutes(app: App, { ports, audit, policy, watches }: DeadLetterRoutesOptions): void {
  const list = {
    summary: "Dead letters",
    description: "Failed jobs whose tries are used up, or messages that nobody could read. For operators and viewers.",
    tags,
    querystring: deadLetterQuery,
    response: { 200: deadLetterList },
  };
  app.get(PATH, { schema: list }, async (request, reply) => {
    reader(request);
    reply.header("cache-control", "no-store");
    return await listDeadLetters(ports, policy, request.query);
  });

  const show = { summary: "A dead letter in full", tags, params, response: { 200: deadLetterDetail } };
  app.get(`${PATH}/:id`, { schema: show }, async (request, reply) => {
    reader(request);
    reply.header("cache-control", "no-store");
    return await showDeadLetter(ports, policy, request.params.id);
  });

  const discard = {
    summary: "Discard a dead letter",
    description: "The job is deleted, the message thrown away.",
    tags,
    params,
    querystring: z.strictObject({ reason: z.string().min(1).max(500).optional() }),
    body: operatorsReason,
    response: { 204: z.null().describe("Discarded") },
  };
  app.delete(`${PATH}/:id`, { schema: discard }, async (request, reply) => {
    const asked = operatorsRequest(request, request.params.id);
    const reason = request.query.reason ?? request.body?.reason;
    const write = { action: "dead-letter.discard", subject: asked.id, reason };
    const erased = await audited(request, audit, write, () => discardDeadLetter(ports, policy, asked));
    if (erased !== null) watches.learn(erased);
    return reply.code(204).header("cache-control", "no-store").send(null);
  });

  const redrive = {
    summary: "Redrive a dead letter",
    description:
      "The job is retried, the message put where it was found once more. A job that is queued or running after a retry or a resume is shown as it is. Anything else is a 404.",
    tags,
    params,
    body: operatorsReason,
    response: { 200: z.union([apiJob, redrivenMessage]) },
  };
  app.post(`${PATH}/:id/redrive`, { schema: redrive }, async (request, reply) => {
    const asked = operatorsRequest(request, request.params.id);
    const write = { action: "dead-letter.redrive", subject: asked.id, reason: request.body?.reason };
    const redriven = await audited(request, audit, write, () => redriveDeadLetter(ports, policy, asked));
    reply.header("cache-control", "no-store");
    return "job" in redriven ? watches.shownAfter(redriven.job).job : redriven.message;
  });
}

function operatorsRequest(request: FastifyRequest, id: string): OperatorsRequest {
  const { traceparent, traceId } = request;
  return { id, actor: operator(request).user, traceparent, traceId };
}
