import websocketPlugin from "@fastify/websocket";
import { WS_PROTOCOL } from "@longhaul/contracts";
import type { App } from "./app.ts";

/** Frames above this are cut off by the protocol layer (1009); what is above our own bound gets our own close code. */
const PAYLOAD_MAX = 64 * 1024;

/**
 * Sockets by @fastify/websocket: a handshake runs through the hooks like any request, and is refused like one.
 * @param shutdown ends all open sockets; called when the app closes
 */
export async function websocket(app: App, shutdown: () => Promise<void>): Promise<void> {
  await app.register(websocketPlugin, {
    options: {
      maxPayload: PAYLOAD_MAX,
      handleProtocols: (offered) => (offered.has(WS_PROTOCOL) ? WS_PROTOCOL : false),
    },
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error, requestId: request.id }, "a socket failed");
      socket.terminate();
    },
    preClose: shutdown,
  });
}
