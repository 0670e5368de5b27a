import type { FastifyInstance } from "fastify";

/** Bytes of the largest frame a client may send. */
export const CLIENT_FRAME_MAX = 4096;
/** Event of a socket whose client has sent a larger frame. */
export const FRAME_TOO_LARGE = "frame-too-large";

/** RFC 6455 §7.4.1: what the protocol layer closes with, by itself, when a frame is larger than its `maxPayload`. */
const MESSAGE_TOO_BIG = 1009;

type SocketClass = NonNullable<FastifyInstance["websocketServer"]["options"]["WebSocket"]>;

/** The socket class, but that whoever listens to `FRAME_TOO_LARGE` ends the connection in place of the protocol layer. */
export function withFrameLimit(Socket: SocketClass): SocketClass {
  return class extends Socket {
    override close(code?: number, data?: string | Buffer): void {
      if (code !== MESSAGE_TOO_BIG || !this.emit(FRAME_TOO_LARGE)) super.close(code, data);
    }
  };
}
