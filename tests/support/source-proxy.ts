import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

/** A call about one file; `nth`: the how manieth of this method for this file, from 1. */
export type SourceCall = { method: "HEAD" | "GET"; fileId: number; nth: number };
/** `cut off`: the body breaks in its middle. `slow`: it comes in drops, until `hurry`. */
export type Treatment = "pass" | "cut off" | "slow" | 403 | 500;

/** What a reader of a file has been given. */
export type Reading = { bytes: number; lastByteAt: number; open: number };

const DROP_BYTES = 32 * 1024;
const DROP_EVERY_MS = 20;

/** Stands between the processors and the store of the sources. Signatures hold: the Host header stays as it was. */
export type SourceProxy = {
  url: string;
  /** By `performance.now()`; `open`: answers that are under way. */
  reading(fileId: number): Reading;
  /** From now on nothing is slow. */
  hurry(): void;
  close(): Promise<void>;
};

/** `treat` decides what befalls each call, so that a test knows beforehand how each file behaves. */
export async function startSourceProxy(storeUrl: string, treat: (call: SourceCall) => Treatment): Promise<SourceProxy> {
  const counts = new Map<string, number>();
  const readings = new Map<number, Reading>();
  let hurrying = false;

  function reading(fileId: number): Reading {
    const known = readings.get(fileId) ?? { bytes: 0, lastByteAt: 0, open: 0 };
    readings.set(fileId, known);
    return known;
  }

  function treatmentOf({ method, url = "" }: IncomingMessage, fileId: number): Treatment {
    if ((method !== "HEAD" && method !== "GET") || fileId === 0) return "pass";
    const key = `${method} ${new URL(url, "http://store").pathname}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return treat({ method, fileId, nth });
  }

  async function serve(call: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fileId = Number(/\/(\d+)\.zip(?:\?|$)/.exec(call.url ?? "")?.[1] ?? 0);
    const treatment = treatmentOf(call, fileId);
    if (typeof treatment === "number") {
      answer.writeHead(treatment).end();
      return;
    }
    const onward = request(new URL(call.url ?? "/", storeUrl), { method: call.method, headers: call.headers });
    answer.once("close", () => onward.destroy());
    const answered = once(onward, "response") as Promise<[IncomingMessage]>;
    call.pipe(onward);
    const [stored] = await answered;
    answer.writeHead(stored.statusCode ?? 502, stored.headers);
    const told = reading(fileId);
    told.open++;
    answer.once("close", () => told.open--);
    if (treatment === "cut off") {
      const [first] = (await once(stored, "data")) as [Buffer];
      answer.write(first.subarray(0, first.length / 2), () => answer.destroy());
      return;
    }
    await pipeline(stored, (pieces) => counted(pieces, told, treatment === "slow"), answer);
  }

  async function* counted(pieces: AsyncIterable<Buffer>, told: Reading, slowly: boolean): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      for (const drop of slowly ? drops(piece) : [piece]) {
        told.bytes += drop.length;
        told.lastByteAt = performance.now();
        yield drop;
        if (slowly && !hurrying) await delay(DROP_EVERY_MS);
      }
    }
  }

  const server = createServer((call, answer) => {
    answer.on("error", () => {});
    serve(call, answer).catch(() => answer.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reading,
    hurry() {
      hurrying = true;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function* drops(piece: Buffer): Generator<Buffer> {
  for (let at = 0; at < piece.length; at += DROP_BYTES) yield piece.subarray(at, at + DROP_BYTES);
}
