import type { WebSocket } from "@fastify/websocket";
import { type ServerFrame, WS_CLOSE } from "@longhaul/contracts";
import type { Clock } from "@longhaul/runtime";
import { FrameBudget, parseClientFrame } from "./client-frames.ts";
import { FRAME_TOO_LARGE } from "./frame-limit.ts";

export type ConnectionOptions = {
  /** Silence after which a keepalive frame goes out; also the interval of protocol pings, and a slow client's respite. */
  keepaliveMs: number;
  /** Unsent bytes from which a client counts as slow: it is sent nothing more until it has taken them. */
  bufferBytes: number;
};

/** Why a connection is ended; the client is told before. */
export type Bye = { code: number; reason: string; message: string; reconnect: boolean; afterMs?: number };

/** How long a client may leave a close unanswered. */
const CLOSE_TIMEOUT_MS = 5000;
/** Two unanswered pings and a margin: 35 s with the default keepalive. */
const deadAfterMs = (keepaliveMs: number) => 2 * keepaliveMs + 5000;

/**
 * One client's socket: frames out, pings, and the end. Knows nothing about jobs.
 *
 *   ready -> (more than `bufferBytes` unsent) held -> (all sent) ready, and whoever listens sends the newest state
 *                                                  -> (not all sent within `keepaliveMs`) bye, 1013
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #budget = new FrameBudget();
  readonly #ping: NodeJS.Timeout;
  readonly #keepalive: NodeJS.Timeout;
  #heardAt: number;
  #ended = false;
  #held: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;
  /** The version that keepalives name. */
  version = "";

  constructor(socket: WebSocket, options: ConnectionOptions, clock: Pick<Clock, "now" | "monotonic">) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = clock;
    this.#heardAt = clock.monotonic();
    this.#ping = setInterval(() => this.#checkAlive(), options.keepaliveMs);
    this.#keepalive = setInterval(() => this.#sendKeepalive(), options.keepaliveMs);
    socket.on("message", (data, isBinary) => this.#received(data as Buffer, isBinary));
    socket.once(FRAME_TOO_LARGE, () => this.#refuse("This frame is larger than the protocol allows."));
    socket.on("pong", () => this.#heard());
    socket.once("close", () => this.#stop());
  }

  /** Whether nothing more is to be sent. */
  get ended(): boolean {
    return this.#ended;
  }

  onClose(listener: () => void): void {
    this.#socket.once("close", listener);
  }

  /** Whether frames about the job may be sent. While the client is slow they may not: later ones will say more. */
  get ready(): boolean {
    return !this.#ended && this.#held === null;
  }

  /** Calls back each time that a slow client has taken all that was sent. */
  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  /** Sends a frame about the job. To be asked before: `ready`. */
  sendData(frame: ServerFrame): void {
    if (!this.ready) return;
    this.#keepalive.refresh();
    this.#send(frame);
    if (this.#socket.bufferedAmount > this.#options.bufferBytes) {
      this.#held = setTimeout(() => this.#tooSlow(), this.#options.keepaliveMs);
    }
  }

  /** Tells why, then closes with the code. */
  bye({ code, reason, message, reconnect, afterMs }: Bye): void {
    if (this.#ended) return;
    this.#send({ type: "bye", code, reason, message, reconnect, afterMs: afterMs ?? null });
    this.close(code, reason);
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#stop();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  #send(frame: ServerFrame): void {
    this.#socket.send(JSON.stringify(frame), () => this.#sent());
  }

  #sent(): void {
    if (this.#held === null || this.#ended || this.#socket.bufferedAmount > 0) return;
    clearTimeout(this.#held);
    this.#held = null;
    this.#drained?.();
  }

  #tooSlow(): void {
    const message = "This connection is too slow; connect again, or poll.";
    this.bye({ code: WS_CLOSE.slow, reason: "SLOW", message, reconnect: true });
  }

  #stop(): void {
    this.#ended = true;
    clearInterval(this.#ping);
    clearInterval(this.#keepalive);
    if (this.#held !== null) clearTimeout(this.#held);
  }

  #heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  #checkAlive(): void {
    if (this.#clock.monotonic() - this.#heardAt > deadAfterMs(this.#options.keepaliveMs)) this.terminate();
    else this.#socket.ping(undefined, undefined, () => this.#sent());
  }

  #sendKeepalive(): void {
    if (this.ready) this.#send({ type: "keepalive", version: this.version, at: this.#isoNow() });
  }

  #isoNow(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    this.#heard();
    const frame = isBinary ? null : parseClientFrame(data.toString());
    if (!this.#budget.spend(this.#clock.monotonic())) this.#refuse("Too many frames.");
    else if (frame === null) this.#refuse("This frame is not part of the protocol.");
    else this.#send({ type: "pong", id: frame.id ?? null, at: this.#isoNow() });
  }

  #refuse(message: string): void {
    this.bye({ code: WS_CLOSE.policy, reason: "POLICY", message, reconnect: false });
  }
}
