import { ProblemError } from "../problem-error.ts";
import type { App } from "./app.ts";

declare module "fastify" {
  interface FastifyReply {
    timeout: NodeJS.Timeout | null;
  }
}

/**
 * Answers a request that takes longer than `timeoutMs` with 504. (Fastify's own `handlerTimeout` makes an abort
 * controller and, at the end of every request, an exception for it: an eighth of the price of a create.)
 */
export function requestTimeout(app: App, timeoutMs: number): void {
  app.decorateReply("timeout", null);
  app.addHook("onRequest", (_request, reply, done) => {
    reply.timeout = setTimeout(() => {
      // A socket's reply counts as sent from the upgrade on.
      if (reply.sent) return;
      const detail = "The request took too long and was given up. What it began may still be done.";
      reply.send(new ProblemError("REQUEST_TIMEOUT", detail));
    }, timeoutMs);
    done();
  });
  app.addHook("onResponse", (_request, reply, done) => {
    if (reply.timeout !== null) clearTimeout(reply.timeout);
    done();
  });
}
