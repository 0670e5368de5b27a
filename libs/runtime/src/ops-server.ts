import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { BootError } from "./boot-error.ts";
import type { HealthAnswer, HealthRegistry } from "./health.ts";
import type { Metrics } from "./metrics.ts";

export type OpsServer = {
  /** The port that it listens on, also when a free one was asked for. */
  port: number;
  close(): Promise<void>;
};

export type OpsServerOptions = { host: string; port: number; health: HealthRegistry; metrics: Metrics };

/**
 * The side door of a service, for probes and Prometheus: `/health`, `/health/live`, `/health/ready`, `/metrics`.
 * @throws BootError `PORT_UNAVAILABLE` when it cannot listen there
 */
export async function startOpsServer({ host, port, health, metrics }: OpsServerOptions): Promise<OpsServer> {
  const routes = health.routes();
  const server = createServer((request, response) => {
    answer(request, response, routes, metrics).catch(() => response.destroy());
  });
  // Probes are small and near: whoever needs longer than this only holds a socket.
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new BootError(
      `Health and metrics cannot be served on ${host}:${port}: ${error instanceof Error ? error.message : error}. ` +
        "Choose another METRICS_HOST or METRICS_PORT (0 = a free port).",
      { code: "PORT_UNAVAILABLE", cause: error },
    );
  }
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Record<string, () => HealthAnswer>,
  { registry }: Metrics,
): Promise<void> {
  const path = request.url?.split("?")[0] ?? "/";
  const route = routes[path];
  response.setHeader("cache-control", "no-store");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
  } else if (route) {
    const { httpStatus, body } = route();
    response.writeHead(httpStatus, { "content-type": "application/json" }).end(JSON.stringify(body));
  } else if (path === "/metrics") {
    const text = await registry.metrics();
    response.writeHead(200, { "content-type": registry.contentType }).end(text);
  } else {
    response.writeHead(404, { "content-type": "text/plain" }).end("Not found\n");
  }
}
