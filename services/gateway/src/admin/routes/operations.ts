import {
  operationAccepted,
  operationBody,
  operationDryRun,
  operationState,
  operatorsReason,
} from "@longhaul/contracts";
import { z } from "zod";
import { absoluteUrl } from "../../absolute-url.ts";
import type { App } from "../../plugins/app.ts";
import { ProblemError } from "../../problem-error.ts";
import { type AuditPorts, audited } from "../audited.ts";
import {
  begin,
  confirmedId,
  dryRun,
  type OperationPolicy,
  type OperationPorts,
  operationState as shown,
} from "../operations.ts";
import { operator, reader } from "../roles.ts";

export type OperationRoutesOptions = { ports: OperationPorts & AuditPorts; policy: OperationPolicy; publicUrl: string };

const PATH = "/v1/admin/operations";
const tags = ["admin"];
const params = z.object({ id: z.string().describe("The id of an operation") });

/** `/v1/admin/operations`: work on many jobs at once, shown before it is done. */
export function operationRoutes(app: App, { ports, policy, publicUrl }: OperationRoutesOptions): void {
  const create = {
    summary: "Redrive many dead letters",
    description:
      "Without `dryRun: false` nothing is done: the answer shows what would be, and its `confirmToken` begins it.",
    tags,
    body: operationBody,
    response: { 200: operationDryRun, 202: operationAccepted },
  };
  app.post(PATH, { schema: create }, async (request, reply) => {
    const { user } = operator(request);
    reply.header("cache-control", "no-store");
    if (request.body.dryRun) return await dryRun(ports, policy, request.body);
    const operationId = confirmedId(ports, policy, request.body);
    const by = { id: operationId, actor: user, traceparent: request.traceparent };
    const { action, reason } = request.body;
    const write = { action: `operation.${action}`, subject: operationId, reason };
    await audited(request, ports, write, () => begin(ports, policy, request.body, by));
    const self = `${PATH}/${operationId}`;
    return reply
      .code(202)
      .header("location", absoluteUrl(request, publicUrl, self))
      .send({ operationId, links: { self } });
  });

  const show = { summary: "How far an operation is", tags, params, response: { 200: operationState } };
  app.get(`${PATH}/:id`, { schema: show }, async (request, reply) => {
    reader(request);
    const operation = await ports.operations.get(request.params.id);
    if (operation === null) throw notFound();
    reply.header("cache-control", "no-store");
    return shown(operation);
  });

  const stop = {
    summary: "Stop an operation",
    description: "What it has done stays done; one that has ended stays as it is.",
    tags,
    params,
    querystring: z.strictObject({ reason: z.string().min(1).max(500).optional() }),
    body: operatorsReason,
    response: { 200: operationState },
  };
  app.delete(`${PATH}/:id`, { schema: stop }, async (request, reply) => {
    const { id } = request.params;
    const reason = request.query.reason ?? request.body?.reason;
    const write = { action: "operation.stop", subject: id, reason };
    const operation = await audited(request, ports, write, async () => {
      const stopped = await ports.operations.stop(id, new Date(ports.now()));
      if (stopped === null) throw notFound();
      return stopped;
    });
    reply.header("cache-control", "no-store");
    return shown(operation);
  });
}

const notFound = () => new ProblemError("NOT_FOUND", "There is no operation with this id.");
