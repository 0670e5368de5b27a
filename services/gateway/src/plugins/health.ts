import type { HealthRegistry } from "@longhaul/runtime";
import type { App } from "./app.ts";

/** The health routes on the public port: what a load balancer in front asks. */
export function healthRoutes(app: App, health: HealthRegistry): void {
  for (const [url, answer] of Object.entries(health.routes())) {
    app.get(url, { schema: { hide: true } }, (_request, reply) => {
      const { httpStatus, body } = answer();
      return reply.code(httpStatus).header("cache-control", "no-store").send(body);
    });
  }
}
