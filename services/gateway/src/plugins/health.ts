import type { HealthAnswer, HealthRegistry } from "@longhaul/runtime";
import type { App } from "./app.ts";

/** The health routes on the public port: what a load balancer in front asks. */
export function healthRoutes(app: App, health: HealthRegistry): void {
  const answers: Record<string, () => HealthAnswer> = {
    "/health": () => health.summary(),
    "/health/live": () => health.live(),
    "/health/ready": () => health.ready(),
  };
  for (const [url, answer] of Object.entries(answers)) {
    app.get(url, { schema: { hide: true } }, (_request, reply) => {
      const { httpStatus, body } = answer();
      return reply.code(httpStatus).header("cache-control", "no-store").send(body);
    });
  }
}
