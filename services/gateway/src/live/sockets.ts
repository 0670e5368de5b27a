import type { WebSocket } from "@fastify/websocket";
import { WS_CLOSE } from "@longhaul/contracts";
import type { Version } from "@longhaul/job";
import type { Clock, Logger, Random } from "@longhaul/runtime";
import { type Caller, owns } from "../plugins/caller.ts";
import { type Bye, Connection, type ConnectionOptions } from "./connection.ts";
import { Follow } from "./follow.ts";
import type { Watches } from "./watches.ts";

/** Clients that lose a server come back spread over this time, milliseconds. */
const RECONNECT_SPREAD_MS = 5000;
/** How long clients may take to answer the close of a server that shuts down. */
const SHUTDOWN_PATIENCE_MS = 2000;

export type SocketPorts = { watches: Watches; clock: Clock; random: Pick<Random, "unit">; log: Logger };

/** Who wants to follow what. `id` is null when the path cannot be a job's. */
export type SocketRequest = { id: string | null; caller: Caller | null; since: Version | null };

/** The canonical sockets of this gateway. */
export class Sockets {
  readonly #ports: SocketPorts;
  readonly #options: ConnectionOptions;
  readonly #open = new Set<Connection>();

  constructor(ports: SocketPorts, options: ConnectionOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Serves one socket until it closes. */
  async serve(socket: WebSocket, request: SocketRequest): Promise<void> {
    const connection = new Connection(socket, this.#options, this.#ports.clock);
    this.#open.add(connection);
    connection.onClose(() => this.#open.delete(connection));
    const { watches } = this.#ports;
    try {
      const watch = request.id === null ? null : await watches.open(request.id);
      const owner = watch?.shown?.record;
      if (watch === null || owner === undefined) return this.#notFound(connection);
      if (request.caller !== null && !owns(request.caller, owner)) return this.#notFound(connection);
      const since = await watches.reach(watch, request.since);
      // A client that has gone meanwhile would be followed for ever.
      if (connection.ended) return;
      const refresh = watches.refresh.bind(watches);
      new Follow(connection, watch, since, { refresh, clock: this.#ports.clock }).start();
    } catch (error) {
      this.#ports.log.warn({ err: error, job_id: request.id }, "a socket could not be served");
      connection.bye(this.#away("DEPENDENCY_UNAVAILABLE", "A service that is needed is away; connect again shortly."));
    }
  }

  /** Says goodbye to everybody, and cuts whoever does not answer. */
  async shutdown(): Promise<void> {
    for (const connection of this.#open) {
      connection.bye(this.#away("SHUTDOWN", "This server is shutting down; connect again."));
    }
    const deadline = this.#ports.clock.monotonic() + SHUTDOWN_PATIENCE_MS;
    while (this.size > 0 && this.#ports.clock.monotonic() < deadline) await this.#ports.clock.sleep(20);
    for (const connection of this.#open) connection.terminate();
  }

  #away(reason: string, message: string): Bye {
    const afterMs = Math.floor(this.#ports.random.unit() * RECONNECT_SPREAD_MS);
    return { code: WS_CLOSE.restart, reason, message, reconnect: true, afterMs };
  }

  #notFound(connection: Connection): void {
    const message = "There is no download with this id.";
    connection.bye({ code: WS_CLOSE.notFound, reason: "NOT_FOUND", message, reconnect: false });
  }
}
