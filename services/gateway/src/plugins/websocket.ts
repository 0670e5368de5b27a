import websocketPlugin from "@fastify/websocket";
import { WS_PROTOCOL } from "@longhaul/contracts";
import { CLIENT_FRAME_MAX, withFrameLimit } from "../live/frame-limit.ts";
import type { App } from "./app.ts";

/**
 * Sockets by @fastify/websocket: a handshake runs through the hooks like any request, and is refused like one.
 * @param shutdown ends all open sockets; called when the app closes
 */
export async function websocket(app: App, shutdown: () => Promise<void>): Promise<void> {
  await app.register(websocketPlugin, {
    options: {
      maxPayload: CLIENT_FRAME_MAX,
      handleProtocols: (offered) => (offered.has(WS_PROTOCOL) ? WS_PROTOCOL : false),
    },
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error, requestId: request.id }, "a socket failed");
      socket.terminate();
    },
    preClose: shutdown,
  });
  const { options } = app.websocketServer;
  if (options.WebSocket) options.WebSocket = withFrameLimit(options.WebSocket);
}
