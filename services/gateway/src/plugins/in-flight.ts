import { setTimeout as delay } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import { ProblemError } from "../problem-error.ts";
import type { App } from "./app.ts";

/** How often requests that take too long are looked for, at most. */
const LOOK_MS = 1000;
/** How long a closing server still takes requests, so that busy clients learn from an answer that they have to leave. */
const LEAVE_MS = 300;

/**
 * The requests that are being answered. One that takes longer than `timeoutMs` is answered with 504. (Fastify's own
 * `handlerTimeout` makes an abort controller and an exception for each request, which costs more than a status poll.)
 * When the app closes, each answer ends its connection: a client that keeps it open would hold up the end, and one whose
 * connection is cut while it sends does not know what became of its request.
 */
export function inFlight(app: App, timeoutMs: number): void {
  const replies = new Set<FastifyReply>();
  let closing = false;
  app.addHook("onRequest", (_request, reply, done) => {
    if (closing) reply.raw.shouldKeepAlive = false;
    replies.add(reply);
    done();
  });
  app.addHook("onResponse", (_request, reply, done) => {
    replies.delete(reply);
    done();
  });
  const timer = setInterval(() => giveUpLate(replies, timeoutMs), Math.min(LOOK_MS, timeoutMs / 4));
  app.addHook("preClose", async () => {
    closing = true;
    for (const reply of replies) reply.raw.shouldKeepAlive = false;
    await delay(LEAVE_MS);
  });
  app.addHook("onClose", () => clearInterval(timer));
}

/** They stand in the order of their arrival. */
function giveUpLate(replies: Set<FastifyReply>, timeoutMs: number): void {
  for (const reply of replies) {
    if (reply.elapsedTime <= timeoutMs) return;
    replies.delete(reply);
    // The reply of a socket counts as sent from the upgrade on.
    if (reply.sent) continue;
    const detail = "The request took too long and was given up. What it began may still be done.";
    reply.send(new ProblemError("REQUEST_TIMEOUT", detail));
  }
}
