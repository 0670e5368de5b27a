import { apiJob, LOG_FIELDS } from "@longhaul/contracts";
import type { ControlCommand } from "@longhaul/job";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Watches } from "../../live/watches.ts";
import type { App } from "../../plugins/app.ts";
import { callerOf, owns } from "../../plugins/caller.ts";
import { jobNotFound } from "../../problem-error.ts";
import { pathJobId } from "../../request-path.ts";
import { type ControlPolicy, type ControlPorts, controlDownload, eraseDownload, type JobRequest } from "../control.ts";
import { answerJob } from "../job-answer.ts";

export type ControlRoutesOptions = { ports: ControlPorts; policy: ControlPolicy; watches: Watches };

const COMMANDS: Record<ControlCommand, { summary: string; description: string }> = {
  cancel: {
    summary: "Cancel a download",
    description: "A running one stops within two seconds. To cancel a cancelled download again changes nothing.",
  },
  pause: {
    summary: "Pause a download",
    description: "A running one stops within two seconds. To pause a paused download again changes nothing.",
  },
  resume: {
    summary: "Resume a paused download",
    description: "It is queued again, as a new generation. One that is queued or runs stays as it is.",
  },
  retry: {
    summary: "Retry a failed or cancelled download",
    description:
      "It begins anew, as a new generation. A failed download can be retried for 30 days, a cancelled one for 7; after that, create a new one.",
  },
};

const params = z.object({ id: z.string().describe("The id of a download") });

/** `POST /v1/downloads/{id}/{command}` and `DELETE /v1/downloads/{id}`: with any body, which is not read, or none. */
export function controlRoutes(app: App, options: ControlRoutesOptions): void {
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, _body, read) => read(null));
    commandRoutes(scope, options);
    deleteRoute(scope, options);
    done();
  });
}

function commandRoutes(app: App, { ports, policy, watches }: ControlRoutesOptions): void {
  for (const command of Object.keys(COMMANDS) as ControlCommand[]) {
    const schema = { ...COMMANDS[command], tags: ["downloads"], params, response: { 200: apiJob } };
    app.post(`/v1/downloads/:id/${command}`, { schema }, async (request, reply) => {
      const asked = ownJob(request, request.params.id);
      const controlled = await controlDownload(ports, policy, { ...asked, command });
      logDone(request, asked.id, command);
      return answerJob(reply, watches.shownAfter(controlled));
    });
  }
}

function deleteRoute(app: App, { ports, policy, watches }: ControlRoutesOptions): void {
  const schema = {
    summary: "Delete a download",
    description:
      "In whatever state it is: a running one stops, and its own files are removed. To delete it again is a 404.",
    tags: ["downloads"],
    params,
    response: { 204: z.null().describe("Deleted") },
  };
  app.delete("/v1/downloads/:id", { schema }, async (request, reply) => {
    const asked = ownJob(request, request.params.id);
    watches.learn(await eraseDownload(ports, policy, asked));
    logDone(request, asked.id, "delete");
    return reply.code(204).header("cache-control", "no-store").send(null);
  });
}

function ownJob(request: FastifyRequest, idText: string): JobRequest {
  const id = pathJobId(idText);
  if (id === null) throw jobNotFound();
  const caller = callerOf(request);
  const { traceparent, traceId } = request;
  return { id, actor: caller.user, admits: (job) => owns(caller, job), traceparent, traceId };
}

function logDone(request: FastifyRequest, id: string, command: string): void {
  request.log.info({ [LOG_FIELDS.jobId]: id, [LOG_FIELDS.traceId]: request.traceId, command }, "command done");
}
