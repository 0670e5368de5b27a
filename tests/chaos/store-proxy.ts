import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export const STORE_TROUBLES = ["500", "503", "reset", "answer lost", "truncated", "slow", "hanging"] as const;
export type StoreTrouble = (typeof STORE_TROUBLES)[number];
export const STORE_OPERATIONS = [
  ...["put", "create upload", "part", "complete", "abort", "delete", "head", "list", "read"],
] as const;
export type StoreOperation = (typeof STORE_OPERATIONS)[number];

const SLOW_MS = 1_500;

/** Stands between the services and the S3 server, to spoil calls. Signatures hold: the Host header stays as it was. */
export type StoreProxy = {
  url: string;
  /** From now on, until `heal`, this befalls calls of this operation, or of any. */
  spoil(operation: StoreOperation | "any", trouble: StoreTrouble): void;
  /** Calls that were spoilt since. */
  spoilt(): number;
  /** Calls that wait for their answer now. */
  open(): number;
  /** The pairs of operation and trouble that befell a call at any time. */
  befell: ReadonlySet<string>;
  /** Ends it, and breaks what hangs; gives the number of calls that were spoilt. */
  heal(): number;
  close(): Promise<void>;
};

/** `slowMs`: by how much a slow call is late. */
export async function startStoreProxy(storeUrl: string, { slowMs = SLOW_MS } = {}): Promise<StoreProxy> {
  const hanging = new Set<ServerResponse>();
  const befell = new Set<string>();
  let open = 0;
  let spoilt: { operation: StoreOperation | "any"; trouble: StoreTrouble; count: number } | null = null;

  async function serve(call: IncomingMessage, answer: ServerResponse): Promise<void> {
    const hits = spoilt?.operation === "any" || spoilt?.operation === operationOf(call);
    const trouble = spoilt && hits ? spoilt.trouble : null;
    if (trouble !== null && spoilt) {
      spoilt.count++;
      befell.add(`${operationOf(call)}: ${trouble}`);
    }
    switch (trouble) {
      case "500":
      case "503":
        call.resume();
        answer.writeHead(Number(trouble), { "content-type": "application/xml" });
        answer.end(`<Error><Code>${trouble === "503" ? "SlowDown" : "InternalError"}</Code><Message/></Error>`);
        return;
      case "reset":
        answer.destroy();
        return;
      case "hanging":
        call.resume();
        hanging.add(answer.once("close", () => hanging.delete(answer)));
        return;
      case "slow":
        await delay(slowMs);
        return pass(storeUrl, call, answer, null);
      default:
        return pass(storeUrl, call, answer, trouble);
    }
  }

  const server = createServer((call, answer) => {
    open++;
    answer.on("error", () => {}).once("close", () => open--);
    serve(call, answer).catch(() => answer.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spoil(operation, trouble) {
      spoilt = { operation, trouble, count: 0 };
    },
    spoilt: () => spoilt?.count ?? 0,
    open: () => open,
    befell,
    heal() {
      const count = spoilt?.count ?? 0;
      spoilt = null;
      for (const answer of hanging) answer.destroy();
      return count;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

/** Passes the call on, and its answer back: whole, cut off in its body, or not at all. */
async function pass(
  storeUrl: string,
  call: IncomingMessage,
  answer: ServerResponse,
  trouble: "answer lost" | "truncated" | null,
): Promise<void> {
  const { expect: _, ...headers } = call.headers;
  const onward = request(new URL(call.url ?? "/", storeUrl), { method: call.method, headers });
  answer.once("close", () => onward.destroy());
  const failed = once(onward, "response") as Promise<[IncomingMessage]>;
  call.pipe(onward);
  const [stored] = await failed;
  if (trouble === "answer lost") {
    answer.destroy();
    return;
  }
  answer.writeHead(stored.statusCode ?? 502, stored.headers);
  if (trouble === null) {
    stored.on("error", () => answer.destroy()).pipe(answer);
    return;
  }
  const first = await Promise.race([once(stored, "data"), once(stored, "end")]);
  // Where there is no body the head is all that could be cut.
  const half = first[0] instanceof Buffer ? first[0].subarray(0, first[0].length / 2) : Buffer.alloc(0);
  if (half.length === 0) answer.destroy();
  else answer.write(half, () => answer.destroy());
}

function operationOf({ method, url = "" }: IncomingMessage): StoreOperation {
  const { searchParams: query } = new URL(url, "http://store");
  switch (method) {
    case "PUT":
      return query.has("partNumber") ? "part" : "put";
    case "POST":
      return query.has("uploads") ? "create upload" : "complete";
    case "DELETE":
      return query.has("uploadId") ? "abort" : "delete";
    case "HEAD":
      return "head";
    default:
      return query.has("list-type") || query.has("uploads") ? "list" : "read";
  }
}
