import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { request as requestSecurely } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { createGuardedAgents, type GuardedAgents } from "./guarded-agents.ts";
import { GuardedHttpError, toGuardedHttpError } from "./guarded-http-error.ts";

export type GuardedHttpOptions = {
  /** Without it only `https:` is called. */
  allowHttp: boolean;
  /** Whether an address may be called: `isPublicAddress` where URLs are not our own. */
  allows(address: string): boolean;
  /** Connections to one host that are kept for the next request. */
  keptPerHost: number;
  /** Resolves names; the system's resolver unless a test brings its own. */
  lookup?: LookupFunction;
};

export type GuardedRequest = {
  method: "GET" | "HEAD";
  headers: OutgoingHttpHeaders;
  /** From the begin until all headers of the answer are here, milliseconds. */
  answerTimeoutMs: number;
  /** Ends the request, and the body while it is read. */
  signal: AbortSignal;
};

/** An answer of whatever status. `body` must be read to its end or destroyed. */
export type GuardedAnswer = { status: number; headers: IncomingHttpHeaders; body: IncomingMessage };

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_MAX_BYTES = 16_384;

/**
 * HTTP to servers that nobody trusts: a URL, and each address that its name stands for, is looked at before anything is
 * sent, and the address of the connection again once it stands, because a name can mean something else a moment later.
 * Redirects are not followed, credentials are not sent, nothing is decompressed; the headers of an answer have a
 * bound in bytes and in time. How long the body may take is its reader's business.
 */
export class GuardedHttp {
  readonly #options: GuardedHttpOptions;
  readonly #agents: GuardedAgents;

  constructor(options: GuardedHttpOptions) {
    this.#options = options;
    this.#agents = createGuardedAgents({ ...options, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  }

  /** @throws GuardedHttpError when there is no answer; the signal's reason when it is aborted before there is one */
  async request(url: URL, options: GuardedRequest): Promise<GuardedAnswer> {
    const { signal } = options;
    signal.throwIfAborted();
    this.#assertAllowed(url);
    try {
      return await this.#send(url, options);
    } catch (error) {
      throw signal.aborted ? signal.reason : toGuardedHttpError(error as Error, url.host);
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #send(url: URL, { method, headers, answerTimeoutMs, signal }: GuardedRequest): Promise<GuardedAnswer> {
    const secure = url.protocol === "https:";
    const agent = secure ? this.#agents.https : this.#agents.http;
    const { promise, resolve, reject } = Promise.withResolvers<GuardedAnswer>();
    const sent = (secure ? requestSecurely : request)(url, {
      method,
      headers,
      agent,
      signal,
      maxHeaderSize: HEADERS_MAX_BYTES,
    });
    const late = () => sent.destroy(new GuardedHttpError("TIMEOUT", `no answer within ${answerTimeoutMs} ms`));
    const timer = setTimeout(late, answerTimeoutMs);
    sent.once("response", (body) => {
      clearTimeout(timer);
      // A body that breaks off tells its reader; when nobody reads yet, the error must not end the process.
      body.on("error", () => {});
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
    });
    // Also after the answer: what goes wrong then is told by the body.
    sent.on("error", reject);
    sent.once("close", () => {
      clearTimeout(timer);
      reject(new GuardedHttpError("UNREACHABLE", "the connection ended without an answer"));
    });
    sent.end();
    return promise;
  }

  /** The system resolves no literal addresses, so they are looked at here. */
  #assertAllowed(url: URL): void {
    const { allowHttp, allows } = this.#options;
    const schemes = allowHttp ? ["https:", "http:"] : ["https:"];
    if (!schemes.includes(url.protocol)) throw new GuardedHttpError("NOT_ALLOWED", `${url.protocol} is not allowed`);
    if (url.username !== "" || url.password !== "") {
      throw new GuardedHttpError("NOT_ALLOWED", `the URL of ${url.host} has credentials in it`);
    }
    const address = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(address) !== 0 && !allows(address)) {
      throw new GuardedHttpError("NOT_ALLOWED", `${address} must not be called`);
    }
  }
}
