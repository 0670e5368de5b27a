import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { BusError } from "./errors.ts";

/** Requests whose answers are awaited at once; JetStream itself starts to refuse at 10,000 for a stream. */
const MAX_IN_FLIGHT = 4096;
/** How often time-outs are looked for: an answer may be awaited this much longer than asked. */
const SWEEP_MS = 50;

export type RequestOptions = { headers?: MsgHdrs | undefined; timeoutMs: number };

type Pending = {
  /** Counts the requests; in base 36 it is the last token of the reply subject. */
  number: number;
  subject: string;
  /** On the monotonic clock. */
  expiresAt: number;
  /** Takes one answer; true = that was the last. */
  take(answer: Msg): boolean;
  fail(error: BusError): void;
};

/**
 * Requests over one inbox. Their places are a ring, not a Map: of each table that a Map has outgrown V8 keeps a link to
 * the next, and with entries that come and go all the time those links keep whole jobs from being collected while young.
 *
 * Against the client's own `request`: whatever is in flight fails at the moment of a disconnect
 * instead of sitting out its time-out, one interval watches all time-outs, and their number has a bound.
 */
export class RequestMux {
  readonly #nc: NatsConnection;
  readonly #prefix = `${createInbox()}.`;
  /** The request with number n waits at n modulo the length. */
  readonly #places: (Pending | null)[] = Array.from({ length: MAX_IN_FLIGHT }, () => null);
  readonly #sweep: NodeJS.Timeout;
  #unusable: BusError | null = null;
  #inFlight = 0;
  #next = 0;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    nc.subscribe(`${this.#prefix}*`, { callback: (_, answer) => this.#onAnswer(answer) });
    this.#sweep = setInterval(() => this.#expire(), SWEEP_MS);
    this.#sweep.unref();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** One request, one answer. @throws BusError */
  request(subject: string, payload: Uint8Array | string, options: RequestOptions): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const take = (answer: Msg) => {
        if (isNoResponders(answer)) reject(noResponders(subject));
        else resolve(answer);
        return true;
      };
      this.#send(subject, payload, options, take, reject);
    });
  }

  /**
   * One request, answers until a status says that these were all, or that there are none.
   * @throws BusError, also `REJECTED` or `UNAVAILABLE` for a status that says anything else: what came is then not all
   */
  requestMany(subject: string, payload: Uint8Array | string, options: RequestOptions): Promise<Msg[]> {
    return new Promise((resolve, reject) => {
      const answers: Msg[] = [];
      const take = (answer: Msg) => {
        const status = statusOf(answer);
        if (status === 0) answers.push(answer);
        else if (isNoResponders(answer)) reject(noResponders(subject));
        else if (ALL_SAID.has(status)) resolve(answers);
        else reject(refused(subject, answer, status));
        return status !== 0;
      };
      this.#send(subject, payload, options, take, reject);
    });
  }

  /** The connection broke: what is in flight fails, and so does every request until `reopen`. */
  disconnected(): void {
    const error = new BusError("DISCONNECTED", "The connection to NATS is down; it is being made again.");
    this.#unusable = error;
    this.#failAll(error);
  }

  reopen(): void {
    this.#unusable = null;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#unusable = new BusError("CLOSED", "The connection to NATS was closed by this process.");
    this.#failAll(this.#unusable);
  }

  #send(
    subject: string,
    payload: Uint8Array | string,
    options: RequestOptions,
    take: Pending["take"],
    fail: Pending["fail"],
  ): void {
    const refusal = this.#unusable ?? this.#overload();
    if (refusal) {
      fail(refusal);
      return;
    }
    const pending = { number: this.#number(), subject, expiresAt: performance.now() + options.timeoutMs, take, fail };
    this.#places[placeOf(pending.number)] = pending;
    this.#inFlight++;
    try {
      const reply = this.#prefix + pending.number.toString(36);
      this.#nc.publish(subject, payload, options.headers ? { reply, headers: options.headers } : { reply });
    } catch (cause) {
      this.#release(pending);
      fail(new BusError("REJECTED", `The NATS client refused a request on ${subject}: ${String(cause)}`, { cause }));
    }
  }

  /** The next number whose place is free. There is one: less requests are in flight than there are places. */
  #number(): number {
    while (this.#places[placeOf(this.#next)] !== null) this.#next++;
    return this.#next++;
  }

  #release(pending: Pending): void {
    this.#places[placeOf(pending.number)] = null;
    this.#inFlight--;
  }

  #overload(): BusError | null {
    if (this.#inFlight < MAX_IN_FLIGHT) return null;
    return new BusError("OVERLOADED", `${MAX_IN_FLIGHT} requests to NATS are in flight; this one was not sent.`);
  }

  #onAnswer(answer: Msg): void {
    const number = Number.parseInt(answer.subject.slice(this.#prefix.length), 36);
    const pending = this.#places[placeOf(number)];
    // An answer that nobody awaits any more came after its time-out; another request may have the place by now.
    if (pending?.number === number && pending.take(answer)) this.#release(pending);
  }

  #expire(): void {
    const now = performance.now();
    for (const pending of this.#places) {
      if (pending === null || pending.expiresAt > now) continue;
      this.#release(pending);
      pending.fail(new BusError("TIMEOUT", `NATS did not answer on ${pending.subject} in time.`));
    }
  }

  #failAll(error: BusError): void {
    const failed = this.#places.filter((pending) => pending !== null);
    this.#places.fill(null);
    this.#inFlight = 0;
    for (const pending of failed) pending.fail(error);
  }
}

const placeOf = (number: number) => number % MAX_IN_FLIGHT;

/** "EOB" after the last of a batch, and "No Results" (ADR-31 of NATS). */
const ALL_SAID: ReadonlySet<number> = new Set([204, 404]);

const refused = (subject: string, answer: Msg, status: number) =>
  new BusError(
    status >= 500 ? "UNAVAILABLE" : "REJECTED",
    `NATS answered ${status} ${answer.headers?.description ?? ""} on ${subject}.`,
  );

const noResponders = (subject: string) =>
  new BusError("NO_RESPONDERS", `Nobody serves ${subject} now: JetStream is starting, electing a leader, or off.`);

/** Status code of a message that carries no payload; 0 when it is not one. */
export const statusOf = (message: Msg) => (message.data.length === 0 ? (message.headers?.code ?? 0) : 0);

const isNoResponders = (answer: Msg) => statusOf(answer) === 503;
