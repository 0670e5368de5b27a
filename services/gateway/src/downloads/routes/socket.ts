import { WS_PROTOCOL } from "@longhaul/contracts";
import { parseVersion } from "@longhaul/job";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Sockets } from "../../live/sockets.ts";
import type { App } from "../../plugins/app.ts";
import { streamCallerOf } from "../../plugins/caller.ts";
import { originAllowed } from "../../plugins/cors.ts";
import { ProblemError } from "../../problem-error.ts";
import { pathJobId } from "../../request-path.ts";

export type SocketRouteOptions = { sockets: Sockets; allowedOrigins: readonly string[]; draining(): boolean };

const RECONNECT_SECONDS = 2;

/** `GET /v1/downloads/{id}/ws`: the canonical WebSocket. */
export function socketRoute(app: App, { sockets, allowedOrigins, draining }: SocketRouteOptions): void {
  const schema = {
    hide: true,
    params: z.object({ id: z.string() }),
    querystring: z.object({ since: z.string().optional(), user_id: z.string().optional() }),
  };
  app.route({
    method: "GET",
    url: "/v1/downloads/:id/ws",
    schema,
    exposeHeadRoute: false,
    preHandler: async (request) => {
      refuse(request, allowedOrigins, draining());
      // A name that cannot be used is told while the client can still read an answer.
      streamCallerOf(request, request.query.user_id);
    },
    handler: upgradeRequired,
    wsHandler: (socket, request) => {
      const { params, query } = request;
      const caller = streamCallerOf(request, query.user_id);
      const since = query.since === undefined ? null : parseVersion(query.since);
      return sockets.serve(socket, { id: pathJobId(params.id), caller, since });
    },
  });
}

/** Refuses a handshake that cannot be; what a browser page should be able to read comes as a close code instead. */
function refuse(request: FastifyRequest, allowedOrigins: readonly string[], draining: boolean): void {
  if (draining) {
    throw new ProblemError("SHUTTING_DOWN", "This server is shutting down; connect again.", {
      retryAfterSeconds: RECONNECT_SECONDS,
    });
  }
  if (!originAllowed(request.headers.origin, request.host, allowedOrigins)) {
    throw new ProblemError("ORIGIN_NOT_ALLOWED", "Pages of this origin may not open sockets here.");
  }
  const offered = request.headers["sec-websocket-protocol"];
  if (offered !== undefined && !offered.split(",").some((protocol) => protocol.trim() === WS_PROTOCOL)) {
    throw new ProblemError("VALIDATION_ERROR", `The only sub-protocol here is ${WS_PROTOCOL}.`, {
      errors: [{ header: "sec-websocket-protocol", detail: `must offer ${WS_PROTOCOL}, or nothing` }],
    });
  }
}

function upgradeRequired(_request: FastifyRequest, reply: FastifyReply): never {
  reply.header("upgrade", "websocket").header("connection", "upgrade");
  throw new ProblemError("UPGRADE_REQUIRED", "This is a WebSocket; connect with a WebSocket client, or poll the job.");
}
