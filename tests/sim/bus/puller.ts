import type { BusServer } from "./bus-server.ts";
import type { Connection } from "./connection.ts";
import type { Handed } from "./work-stream.ts";

/** One delivery as it reached the process. */
export type Arrival = Handed & { ack(): void; nak(delayMs: number): void; working(): void };

/** A request that was lost is noticed by the heartbeats that do not come. */
const SILENCE_MS = 2_500;
/** What could not be started comes again after this time. */
const HAND_BACK_MS = 250;

/** Asks for as many items as the process has free slots, one request for each, and never for more. */
export class Puller {
  readonly #connection: Connection;
  readonly #server: BusServer;
  readonly #slots: number;
  readonly #onItem: (arrival: Arrival) => Promise<void>;
  #running = 0;
  #asked = 0;
  #stopped = false;
  /** Requests of a connection that broke are forgotten on both sides. */
  #withdrawals: (() => void)[] = [];
  #round = 0;

  constructor(connection: Connection, server: BusServer, slots: number, onItem: (arrival: Arrival) => Promise<void>) {
    this.#connection = connection;
    this.#server = server;
    this.#slots = slots;
    this.#onItem = onItem;
    connection.onStatus((connected) => {
      this.#forget();
      if (connected) this.#ask();
    });
    this.#ask();
  }

  /** Pulls no more; what arrives all the same is handed back. */
  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  #forget(): void {
    for (const withdraw of this.#withdrawals) withdraw();
    this.#withdrawals = [];
    this.#asked = 0;
    this.#round++;
  }

  #ask(): void {
    while (!this.#stopped && this.#connection.connected && this.#running + this.#asked < this.#slots) this.#request();
  }

  #request(): void {
    const round = this.#round;
    this.#asked++;
    const lost = () => {
      this.#connection.process.after(SILENCE_MS, () => {
        if (round === this.#round) this.#asked--;
        this.#ask();
      });
    };
    const deliver = (handed: Handed) => {
      const what = `delivery ${handed.count} of item ${handed.sequence}`;
      this.#connection.receive(handed.item.id, what, () => this.#onDelivery(handed, round), lost);
    };
    this.#connection.send(
      "",
      "pull request",
      () => {
        if (round === this.#round) this.#withdrawals.push(this.#server.work.pull({ deliver }));
      },
      lost,
    );
  }

  #onDelivery(handed: Handed, round: number): void {
    if (round === this.#round) this.#asked--;
    const arrival = this.#answerable(handed);
    if (this.#stopped || this.#running >= this.#slots) {
      arrival.nak(HAND_BACK_MS);
      return;
    }
    this.#running++;
    void this.#onItem(arrival).finally(() => {
      this.#running--;
      this.#ask();
    });
  }

  #answerable(handed: Handed): Arrival {
    const { work } = this.#server;
    const { sequence, count, item } = handed;
    const send = (what: string, handle: () => void) =>
      this.#connection.send(item.id, `${what} of item ${sequence} (delivery ${count})`, handle);
    return {
      ...handed,
      ack: () => send("ack", () => work.ack(sequence)),
      nak: (delayMs) => send("nak", () => work.nak(sequence, delayMs)),
      working: () => send("working", () => work.working(sequence)),
    };
  }
}
