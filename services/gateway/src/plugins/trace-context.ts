import { childOf, type Random, traceIdOf } from "@longhaul/runtime";
import type { FastifyRequest } from "fastify";
import type { App } from "./app.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** W3C Trace Context of our part of this request: continues the caller's trace, else begins one. */
    readonly traceparent: string;
    readonly traceId: string;
  }
}

/** Trace context of each request, made when it is first asked for: a status poll that ends well needs none. */
export function traceContext(app: App, random: Pick<Random, "hex">): void {
  const made = new WeakMap<FastifyRequest, string>();
  app.decorateRequest("traceparent", {
    getter() {
      const known = made.get(this);
      if (known !== undefined) return known;
      const header = this.headers.traceparent;
      const traceparent = childOf(typeof header === "string" ? header : null, random);
      made.set(this, traceparent);
      return traceparent;
    },
  });
  app.decorateRequest("traceId", {
    getter() {
      return traceIdOf(this.traceparent) ?? "";
    },
  });
}
