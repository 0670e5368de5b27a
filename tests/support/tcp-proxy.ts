import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, to lose what the server answers. */
export type TcpProxy = {
  port: number;
  /** From now on the server gets everything and the client nothing. */
  swallowAnswers(): void;
  /** Breaks every connection; new ones are served in full again. */
  cut(): void;
  close(): Promise<void>;
};

export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let swallowing = false;

  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    const pair = { client, server };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => swallowing || client.write(bytes));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  function cut(): void {
    for (const { client } of pairs) client.destroy();
    swallowing = false;
  }

  return {
    port: (listener.address() as AddressInfo).port,
    swallowAnswers() {
      swallowing = true;
    },
    cut,
    async close() {
      listener.close();
      cut();
      if (listener.listening) await once(listener, "close");
    },
  };
}
