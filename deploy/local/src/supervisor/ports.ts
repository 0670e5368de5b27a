import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import { StackError } from "../stack-error.ts";

// Below the range from which systems take the ports of outgoing connections (Linux 32768, macOS 49152): a server that
// is restarted must find its port free again.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 200;

// A port that was given out is listened on only later, and again after a restart: this process never gives it out twice.
const given = new Set<number>();

/** `count` different ports on the loopback address that nobody listens on now and that this process has not given out before. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count && attempt < TRIES + count; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port)) continue;
    given.add(port);
    if (await canListen(port)) ports.push(port);
  }
  if (ports.length < count) {
    throw new StackError(`No free ports were found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`, {
      code: "START_FAILED",
    });
  }
  return ports;
}

/** True when a listener on `host`:`port` could be opened just now. */
export function canListen(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once("error", () => answer(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => answer(true)));
  });
}

/** True when somebody takes a connection at `port` on the loopback address within two seconds. */
export function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, "127.0.0.1");
    const end = (yes: boolean) => {
      socket.destroy();
      answer(yes);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
