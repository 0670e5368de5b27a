import { apiJob, LOG_FIELDS } from "@longhaul/contracts";
import { z } from "zod";
import { Shown, type ShowOptions } from "../../live/shown.ts";
import type { Watches } from "../../live/watches.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf, owns } from "../../plugins/caller.ts";
import { jobNotFound } from "../../problem-error.ts";
import { pathJobId } from "../../request-path.ts";
import { type ControlPolicy, type ControlPorts, controlDownload } from "../control.ts";

export type ControlRoutesOptions = {
  ports: ControlPorts;
  policy: ControlPolicy;
  watches: Watches;
  show: ShowOptions;
};

/** `POST /v1/downloads/{id}/cancel` */
export function controlRoutes(app: App, { ports, policy, watches, show }: ControlRoutesOptions): void {
  const command = "cancel";
  const schema = {
    summary: "Cancel a download",
    description: "A running one stops within two seconds. To cancel a cancelled download again changes nothing.",
    tags: ["downloads"],
    params: z.object({ id: z.string() }),
    response: { 200: apiJob },
  };
  app.post(`/v1/downloads/:id/${command}`, { schema }, async (request, reply) => {
    const id = pathJobId(request.params.id);
    if (id === null) throw jobNotFound();
    const caller = callerOf(request);
    const { traceparent, traceId } = request;
    const asked = { id, command, actor: caller.user, owns: owns.bind(null, caller), traceparent, traceId } as const;
    const { seq, record } = await controlDownload(ports, policy, asked);
    // Whoever reads next, here, must not be shown the state before.
    watches.learn({ seq, record });
    request.log.info(
      { [LOG_FIELDS.jobId]: id, [LOG_FIELDS.traceId]: traceId, command, status: record.status },
      "command done",
    );
    reply.header("cache-control", "no-store").type("application/json; charset=utf-8");
    return reply.serializer(asIs).send(new Shown({ seq, n: 0 }, record, show).body as never);
  });
}

const asIs = (text: unknown) => text as string;
