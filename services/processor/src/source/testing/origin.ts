import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";

/** A web server of a test, on this machine. */
export type Origin = {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** All requests so far. */
  requests: Pick<IncomingMessage, "method" | "url" | "headers">[];
  close(): Promise<void>;
};

/** A server that speaks HTTP, whatever its handler does with it. */
export async function startOrigin(handler: RequestListener): Promise<Origin> {
  const requests: Origin["requests"] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  // It goes on sending to who went away.
  server.on("clientError", () => {});
  return { requests, ...(await listening(server)) };
}

/** A server that says anything at all: `talk` gets the connection and the text of the request that came on it. */
export async function startRawOrigin(talk: (socket: Socket, request: string) => void): Promise<Origin> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => talk(socket, bytes.toString("latin1")));
  });
  return { requests: [], ...(await listening(server)) };
}

async function listening(server: Server): Promise<Pick<Origin, "url" | "close">> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
