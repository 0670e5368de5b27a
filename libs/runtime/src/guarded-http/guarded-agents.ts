import { lookup as systemLookup } from "node:dns";
import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GuardedHttpError } from "./guarded-http-error.ts";

export type GuardedAgentsOptions = {
  /** Whether an address may be called. Asked before and after each connection is made. */
  allows(address: string): boolean;
  connectTimeoutMs: number;
  /** Connections to one host that are kept for the next request. */
  keptPerHost: number;
  /** Resolves names; the system's resolver unless a test brings its own. */
  lookup?: LookupFunction;
};

export type GuardedAgents = { http: HttpAgent; https: HttpsAgent };

/** Servers end idle connections, often after 5 s; ours are gone before that, so that none breaks under a request. */
const KEPT_FOR_MS = 4_000;

/** The connections of guarded requests: only such a one is handed out whose address was looked at twice. */
export function createGuardedAgents(options: GuardedAgentsOptions): GuardedAgents {
  const settings = {
    keepAlive: true,
    maxFreeSockets: options.keptPerHost,
    timeout: KEPT_FOR_MS,
    lookup: guardedLookup(options),
  };
  const guard = (socket: Duplex | null | undefined) => guarded(socket as Socket, options);
  class GuardedHttpAgent extends HttpAgent {
    override createConnection(target: ClientRequestArgs, done?: (error: Error | null, stream: Duplex) => void) {
      return guard(super.createConnection(target, done));
    }
  }
  class GuardedHttpsAgent extends HttpsAgent {
    override createConnection(target: ClientRequestArgs, done?: (error: Error | null, stream: Duplex) => void) {
      return guard(super.createConnection(target, done));
    }
  }
  return { http: new GuardedHttpAgent(settings), https: new GuardedHttpsAgent(settings) };
}

/** Resolves a name, and refuses it when any of its addresses is not allowed: the next one to be tried might be that. */
function guardedLookup({ allows, lookup = systemLookup as LookupFunction }: GuardedAgentsOptions): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : [];
      if (error) return callback(error, []);
      const [first] = addresses;
      const refused = addresses.find(({ address }) => !allows(address));
      if (refused) return callback(notAllowed(hostname, refused.address), []);
      if (options.all) return callback(null, addresses);
      return callback(null, first?.address ?? "", first?.family);
    });
  };
}

/** A connection that ends itself, before a byte is sent, when it leads elsewhere than it should; and when it takes too long. */
function guarded(socket: Socket, { allows, connectTimeoutMs }: GuardedAgentsOptions): Socket {
  const late = () => socket.destroy(new GuardedHttpError("TIMEOUT", `no connection within ${connectTimeoutMs} ms`));
  const timer = setTimeout(late, connectTimeoutMs);
  socket.once("close", () => clearTimeout(timer));
  // Before all other listeners: the next one sends what is waiting.
  socket.prependOnceListener("connect", () => {
    clearTimeout(timer);
    const { remoteAddress = "unknown" } = socket;
    if (!allows(remoteAddress)) socket.destroy(notAllowed("the connection", remoteAddress));
  });
  return socket;
}

function notAllowed(what: string, address: string): GuardedHttpError {
  return new GuardedHttpError("NOT_ALLOWED", `${what} leads to ${address}, which must not be called`);
}
