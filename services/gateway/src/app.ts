import type { Bus, CoreMessages, DeadLetters, JobStore, WorkQueue } from "@longhaul/bus";
import { fileTypeOf } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import { type Objects, ObjectsError, type PayloadOwner } from "@longhaul/objects";
import type { Clock, HealthRegistry, Logger, Loop, Metrics, Random } from "@longhaul/runtime";
import type { DeadLetterViews, JobViews, Records, View } from "@longhaul/store";
import Fastify, { LogController } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { deadLetterRoutes } from "./admin/routes/dead-letters.ts";
import { operationRoutes } from "./admin/routes/operations.ts";
import type { GatewayConfig } from "./config.ts";
import { assertAllowed } from "./downloads/denied-files.ts";
import { contentRoutes } from "./downloads/routes/content.ts";
import { controlRoutes } from "./downloads/routes/control.ts";
import { createRoute } from "./downloads/routes/create.ts";
import { socketRoute } from "./downloads/routes/socket.ts";
import { statusRoute } from "./downloads/routes/status.ts";
import { UserLanes } from "./downloads/user-lanes.ts";
import { Sockets } from "./live/sockets.ts";
import { Watches } from "./live/watches.ts";
import { gatewayMetrics } from "./metrics.ts";
import { allowedMethods } from "./plugins/allowed-methods.ts";
import type { App } from "./plugins/app.ts";
import { clientErrorHandler } from "./plugins/client-error.ts";
import { cors } from "./plugins/cors.ts";
import { healthRoutes } from "./plugins/health.ts";
import { httpMetrics } from "./plugins/http-metrics.ts";
import { inFlight } from "./plugins/in-flight.ts";
import { jsonBody } from "./plugins/json-body.ts";
import { openapi } from "./plugins/openapi.ts";
import { answerError, problems } from "./plugins/problems.ts";
import { requestId } from "./plugins/request-id.ts";
import { securityHeaders, standardHeaders } from "./plugins/standard-headers.ts";
import { traceContext } from "./plugins/trace-context.ts";
import { websocket } from "./plugins/websocket.ts";
import { requestPath } from "./request-path.ts";
import { validatorCompiler } from "./validation.ts";

/** All that the gateway works with. */
export type GatewayParts = {
  config: GatewayConfig;
  bus: Pick<Bus, "connected" | "onStatus">;
  jobs: Pick<JobStore, "newest" | "newestOf" | "put">;
  work: Pick<WorkQueue, "send" | "length">;
  core: Pick<CoreMessages, "subscribePush">;
  views: Pick<JobViews, "get">;
  /** What cannot be rebuilt: bulk work, and who asked for what. */
  records: Pick<Records, "operations" | "audit">;
  deadLetters: { views: DeadLetterViews; messages: DeadLetters };
  objects: Pick<Objects, "results" | "source" | "payloads">;
  /** Which files a user may not have. */
  deniedFiles: FileAuthorisation;
  health: HealthRegistry;
  metrics: Metrics;
  log: Logger;
  clock: Clock;
  random: Random;
};

/** The HTTP side, not listening yet, and the loops that it needs beside it. Closing `app` says goodbye to all sockets. */
export type Gateway = { app: App; loops: Loop[] };

/** Builds the gateway. Nothing is opened here but what requests open later. */
export async function buildGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, clock, random, log } = parts;
  const app = newApp(parts);
  const watches = new Watches(
    {
      jobs: parts.jobs,
      views: parts.views,
      subscribePush: (id, handler) => parts.core.subscribePush(id, handler),
      busConnected: () => parts.bus.connected(),
      clock,
      log,
    },
    { idleMs: config.watchIdleMs, recheckMs: config.watchRecheckMs, show: config },
  );
  const sockets = new Sockets(
    { watches, clock, random, log },
    { keepaliveMs: config.streamKeepaliveMs, bufferBytes: config.streamBufferBytes },
  );
  const stopListening = parts.bus.onStatus((status) => status === "disconnected" && watches.doubtAll());
  app.addHook("onClose", () => {
    stopListening();
    watches.close();
  });
  await plugins(app, parts, sockets);
  routes(app, parts, watches, sockets);
  return { app, loops: [{ name: "watch", run: (signal) => watches.run(signal) }] };
}

function newApp({ config, log, random }: GatewayParts): App {
  const security = securityHeaders(config.publicUrl ?? "");
  const app = Fastify({
    loggerInstance: log,
    // One logger for all requests: what a line needs of its request, it names. A child for each costs more than a poll.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    trustProxy: config.trustProxy ?? false,
    bodyLimit: config.bodyLimitBytes,
    // Longer than any path can be: an id of any length is looked at, and not found.
    routerOptions: { maxParamLength: 65_536 },
    rewriteUrl: (request) => requestPath(request.url ?? "/"),
    // What fails before routing meets no hook.
    frameworkErrors: (error, request, reply) => answerError(error, request, reply.headers(security)),
    clientErrorHandler: clientErrorHandler(random, security),
    // What is still asked while we close is answered: the connection's end tells the client where to go next.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    // The whole request must have arrived by then, however slowly it is sent.
    requestTimeout: 30_000,
    // Longer than the 60 s for which proxies keep idle connections, so that it is never we who close one being used.
    keepAliveTimeout: 75_000,
    // No limit by silence: sockets are silent for long, and dead ones are found by their pings.
    connectionTimeout: 0,
    http: {
      // Headers come in one piece from honest clients.
      headersTimeout: 15_000,
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // Answers are made from typed values; checking them again would cost as much as making them.
  app.setSerializerCompiler(() => JSON.stringify);
  return app as unknown as App;
}

async function plugins(app: App, { config, metrics, random }: GatewayParts, sockets: Sockets): Promise<void> {
  const publicUrl = config.publicUrl ?? "";
  const methodsOf = allowedMethods(app);
  jsonBody(app);
  inFlight(app, config.requestTimeoutMs);
  traceContext(app, random);
  httpMetrics(app, metrics);
  standardHeaders(app, securityHeaders(publicUrl));
  cors(app, config.allowedOrigins);
  problems(app, methodsOf);
  await websocket(app, () => sockets.shutdown());
  await openapi(app, publicUrl);
}

/** A create does not wait for a database that is away, and goes on without its answer. */
async function viewIfThere({ health, views, log }: GatewayParts, id: string): Promise<View | null> {
  if (health.checks().mongodb?.status === "down") return null;
  try {
    return await views.get(id);
  } catch (error) {
    log.warn({ err: error, job_id: id }, "a repeated create goes on without the view: the database is away");
    return null;
  }
}

/** Nobody waits for a store that is known to be away, nor so long that the request is given up meanwhile. */
async function putPayload({ config, health, objects }: GatewayParts, owner: PayloadOwner, value: unknown) {
  if (health.checks().s3?.status === "down") {
    throw new ObjectsError("The store was away when it was asked last.", { code: "UNAVAILABLE" });
  }
  return await objects.payloads.put(owner, value, AbortSignal.timeout(config.requestTimeoutMs / 2));
}

function routes(app: App, parts: GatewayParts, watches: Watches, sockets: Sockets): void {
  const { config, bus, jobs, work, objects, health, clock, random } = parts;
  const publicUrl = config.publicUrl ?? "";
  const metrics = gatewayMetrics(parts.metrics, {
    fileType: fileTypeOf(config),
    openSockets: () => sockets.size,
    queueLength: () => work.length(),
  });
  const now = () => clock.now();
  const lanes = new UserLanes({ burst: config.laneBurst, now });
  const nextLane = (tenant: string, user: string) => lanes.next(tenant, user);
  const ports = { newest: jobs.newest, put: jobs.put, sendWork: work.send, nextLane, now };
  const policy = { ...config, deadlineSeconds: config.jobDeadlineSeconds, putDeadlineMs: config.busTimeoutMs };
  createRoute(app, {
    ports: {
      ...ports,
      viewIfThere: (id) => viewIfThere(parts, id),
      busConnected: () => bus.connected(),
      randomId: () => random.id(),
      assertAllowed: (owner, fileIds) => assertAllowed(parts.deniedFiles, owner, fileIds),
      putPayload: (owner, value) => putPayload(parts, owner, value),
    },
    policy,
    limits: {
      maxFiles: config.jobMaxFiles,
      resultTtlSeconds: config.resultTtlSeconds,
      resultTtlMaxSeconds: config.resultTtlMaxSeconds,
    },
    watches,
    metrics,
    idSecret: config.idSecret,
    publicUrl,
  });
  const controlPorts = { ...ports, view: (id: string) => parts.views.get(id), unit: () => random.unit() };
  controlRoutes(app, { ports: controlPorts, policy, watches });
  const audit = { audit: parts.records.audit, now: () => clock.now(), randomId: () => random.id() };
  deadLetterRoutes(app, {
    audit,
    ports: { ...parts.deadLetters, control: controlPorts },
    policy: { ...policy, cursorSecret: config.idSecret },
    watches,
  });
  operationRoutes(app, {
    ports: {
      ...audit,
      operations: parts.records.operations,
      views: parts.deadLetters.views,
    },
    policy: { maxAttempts: config.maxAttempts, tokenSecret: config.idSecret },
    publicUrl,
  });
  statusRoute(app, { watches, metrics });
  contentRoutes(app, {
    watches,
    buckets: { owned: objects.results, borrowed: objects.source },
    isAway(kind) {
      const { s3, source_s3: source = s3 } = health.checks();
      return (kind === "borrowed" ? source : s3)?.status === "down";
    },
    urlTtlSeconds: config.resultUrlTtlSeconds,
    clock,
  });
  socketRoute(app, { sockets, allowedOrigins: config.allowedOrigins, draining: () => health.phase === "draining" });
  healthRoutes(app, health);
}
