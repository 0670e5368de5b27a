import { readFileSync } from "node:fs";
import { BootError, type Logger, systemClock, withTimeout } from "@longhaul/runtime";
import {
  AuthorizationError,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { BusError } from "./errors.ts";
import { RequestMux } from "./request-mux.ts";

export type BusOptions = {
  servers: string[];
  /** Shown by the server beside the connection. */
  name: string;
  credsFile?: string | undefined;
  caFile?: string | undefined;
  log: Logger;
  /** How long to try for the first connection, milliseconds. */
  bootTimeoutMs?: number;
};

export type BusStatus = "connected" | "disconnected";

export type Bus = {
  /** The client's connection: for this library only. */
  readonly nc: NatsConnection;
  /** JetStream requests: for this library only. */
  readonly requests: RequestMux;
  connected(): boolean;
  /** Calls back on each change; the returned function ends that. */
  onStatus(callback: (status: BusStatus) => void): () => void;
  /** Round trip to the server and back, milliseconds: for health checks. @throws BusError, TimeoutError */
  ping(timeoutMs: number): Promise<number>;
  /** Sends what is buffered, then closes; after `timeoutMs` in any case. */
  close(timeoutMs?: number): Promise<void>;
};

const BOOT_TIMEOUT_MS = 30_000;
const DIAL_TIMEOUT_MS = 5_000;
const RETRY_WAIT_MS = 500;

/**
 * Opens the one connection of a process. Once it stands it is made again for as long as the process lives.
 * @throws BootError `BUS_UNREACHABLE` when no server answered in time, `BUS_REFUSED` when the credentials are not accepted
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { log } = options;
  const nc = await dial(options);
  const requests = new RequestMux(nc);
  const listeners = new Set<(status: BusStatus) => void>();
  let connected = true;

  const turn = (status: BusStatus) => {
    connected = status === "connected";
    if (connected) requests.reopen();
    else requests.disconnected();
    for (const listener of listeners) listener(status);
  };
  watchStatus(nc, turn, log).catch((error) => log.error({ err: error }, "watching the NATS connection failed"));

  return {
    nc,
    requests,
    connected: () => connected,
    onStatus(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    async ping(timeoutMs) {
      if (!connected) throw new BusError("DISCONNECTED", "The connection to NATS is down; it is being made again.");
      return await withTimeout(() => nc.rtt(), timeoutMs, "The ping of NATS");
    },
    async close(timeoutMs = 2_000) {
      if (nc.isClosed()) return;
      if (connected) await withTimeout(() => nc.drain(), timeoutMs, "The drain of NATS").catch(() => {});
      await nc.close();
      requests.close();
    },
  };
}

/** Tries until a connection stands. The client's own endless first connect has no end, so the loop is here. */
async function dial(options: BusOptions): Promise<NatsConnection> {
  const budgetMs = options.bootTimeoutMs ?? BOOT_TIMEOUT_MS;
  const endsAt = systemClock.monotonic() + budgetMs;
  for (let told = false; ; told = true) {
    try {
      return await connect(clientOptions(options, Math.max(1, endsAt - systemClock.monotonic())));
    } catch (error) {
      const where = options.servers.join(", ");
      if (error instanceof AuthorizationError) {
        throw new BootError(
          `NATS at ${where} does not accept our credentials. Check NATS_CREDS_FILE and the user in NATS_URL.`,
          { code: "BUS_REFUSED", cause: error },
        );
      }
      if (systemClock.monotonic() + RETRY_WAIT_MS > endsAt) {
        throw new BootError(
          `No NATS server answered at ${where} within ${budgetMs} ms (${String(error)}). Start one there, or set NATS_URL to where one is.`,
          { code: "BUS_UNREACHABLE", cause: error },
        );
      }
      if (!told) options.log.warn({ servers: options.servers, err: error }, "NATS does not answer yet, trying again");
      await systemClock.sleep(RETRY_WAIT_MS);
    }
  }
}

function clientOptions({ servers, name, credsFile, caFile }: BusOptions, leftMs: number): NodeConnectionOptions {
  return {
    servers,
    name,
    timeout: Math.min(DIAL_TIMEOUT_MS, leftMs),
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_WAIT_MS,
    reconnectJitter: RETRY_WAIT_MS / 2,
    // A server that restarts may refuse everybody for a moment; without this the second refusal closes for good.
    ignoreAuthErrorAbort: true,
    pingInterval: 20_000,
    maxPingOut: 3,
    // A stack trace for each request doubles the price of a publish.
    noAsyncTraces: true,
    ...(caFile ? { tls: { caFile } } : {}),
    // Read anew for each connection, so that renewed credentials are taken without a restart.
    ...(credsFile ? { authenticator: (nonce?: string) => credsAuthenticator(readFileSync(credsFile))(nonce) } : {}),
  };
}

async function watchStatus(nc: NatsConnection, turn: (status: BusStatus) => void, log: Logger): Promise<void> {
  for await (const status of nc.status()) {
    switch (status.type) {
      case "disconnect":
        turn("disconnected");
        log.warn({ server: status.server }, "NATS connection lost, connecting again");
        break;
      case "reconnect":
        turn("connected");
        log.info({ server: status.server }, "NATS connection made again");
        break;
      case "error":
        log.error({ err: status.error }, "NATS reported an error");
        break;
    }
  }
  // Ends only with the connection itself: nothing will be answered any more.
  turn("disconnected");
}
