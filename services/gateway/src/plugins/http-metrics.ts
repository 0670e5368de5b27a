import { METRICS } from "@longhaul/contracts";
import { Histogram, type Metrics } from "@longhaul/runtime";
import type { App } from "./app.ts";

/** OpenTelemetry's advice for `http.server.request.duration`, seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** How long requests take, by route, never by path: ids must not become labels. */
export function httpMetrics(app: App, metrics: Metrics): void {
  const duration = new Histogram({
    name: METRICS.httpRequestDuration,
    help: "Time from the request's headers to the end of its answer, seconds",
    labelNames: ["route", "method", "status"],
    buckets: BUCKETS,
    registers: [metrics.registry],
  });
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "none";
    duration.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}
