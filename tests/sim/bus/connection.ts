import { BusError } from "../../../libs/bus/src/errors.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { BusServer } from "./bus-server.ts";

const RECONNECT_MS: [number, number] = [50, 1_500];
/** A message that takes longer counts as late. */
const LATE_MS = 1_000;

type Travel = { lost: boolean; delayMs: number };

/**
 * The connection of one process to the bus, with all that can happen to messages on it. Requests are answered, time out,
 * or fail at once when the connection breaks; core messages are sent and forgotten.
 */
export class Connection {
  readonly process: Process;
  readonly #world: World;
  readonly #server: BusServer;
  readonly #prng: Prng;
  readonly #pending = new Set<(error: BusError) => void>();
  readonly #statusListeners: ((connected: boolean) => void)[] = [];
  #connected = true;
  /** Rises with each break: what was sent before must not be answered after. */
  #epoch = 0;

  constructor(process: Process, server: BusServer, world: World) {
    this.process = process;
    this.#server = server;
    this.#world = world;
    this.#prng = world.prng(`bus of ${process.name}`);
    process.atDeath(() => this.break(null));
  }

  get connected(): boolean {
    return this.#connected;
  }

  onStatus(listener: (connected: boolean) => void): void {
    this.#statusListeners.push(listener);
  }

  /**
   * Asks the server. `handle` is what the server does when the request arrives.
   * @throws BusError `DISCONNECTED`, `TIMEOUT`, and what the server throws
   */
  request<T>(job: string, what: string, timeoutMs: number, handle: () => T): Promise<T> {
    if (!this.#connected) return Promise.reject(new BusError("DISCONNECTED", "There is no connection."));
    const epoch = this.#epoch;
    return new Promise<T>((resolve, reject) => {
      const settle = (how: () => void) => {
        this.#pending.delete(fail);
        timer.cancel();
        how();
      };
      const fail = (error: BusError) => settle(() => reject(error));
      const timer = this.process.after(timeoutMs, () => {
        this.#note(job, `${what}: time-out`);
        fail(new BusError("TIMEOUT", "No answer in time."));
      });
      this.#pending.add(fail);
      this.#toServer(job, what, this.#world.options.bus.lostRequest, epoch, () => {
        const answer = attempt(handle);
        const travel = this.#travel(job, this.#world.options.bus.lostAnswer);
        if (travel.lost) return this.#disturbed(job, "lost answers", `${what}: done, answer lost`);
        this.#world.scheduler.after(travel.delayMs, () => {
          if (epoch !== this.#epoch) return;
          this.process.run(() => {
            if (!this.#pending.has(fail)) return;
            settle(() => ("error" in answer ? reject(answer.error) : resolve(answer.value)));
          });
        });
      });
    });
  }

  /** A core message to the server: lost without a word when there is no connection. */
  send(job: string, what: string, handle: () => void, onLost: () => void = () => {}): void {
    if (!this.#connected) return;
    this.#toServer(job, what, this.#world.options.bus.lostMessage, this.#epoch, handle, onLost);
  }

  /** A core message from the server to the process. */
  receive(job: string, what: string, handle: () => void, onLost: () => void = () => {}): void {
    const epoch = this.#epoch;
    const { lost, delayMs } = this.#travel(job, this.#world.options.bus.lostMessage);
    if (lost) {
      this.#disturbed(job, "lost messages", `${what}: lost on its way`);
      onLost();
    } else {
      this.#world.scheduler.after(delayMs, () => epoch === this.#epoch && this.process.run(handle));
    }
  }

  /** A notification: the same, but losing one or having it twice says nothing about anybody's run. */
  notify(job: string, what: string, handle: () => void): void {
    const { lostMessage, doubleNotification } = this.#world.options.bus;
    if (this.#world.strikes(this.#prng, lostMessage)) {
      this.#world.statistics.count("lost notifications");
      this.#note(job, `notification of ${what}: lost`);
      return;
    }
    const times = this.#world.strikes(this.#prng, doubleNotification) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const { delayMs } = this.#travel(job, 0);
      const epoch = this.#epoch;
      this.#world.scheduler.after(delayMs, () => epoch === this.#epoch && this.process.run(handle));
    }
  }

  /** The connection is lost. It comes back by itself after `backAfterMs`, if the server is there; null = never. */
  break(backAfterMs: number | null): void {
    if (this.#connected) {
      this.#connected = false;
      this.#epoch++;
      const pending = [...this.#pending];
      this.process.run(() => {
        for (const fail of pending) fail(new BusError("DISCONNECTED", "The connection broke."));
      });
      for (const listener of this.#statusListeners) listener(false);
    }
    if (backAfterMs !== null) this.process.after(backAfterMs, () => this.#reconnect());
  }

  #reconnect(): void {
    if (this.#connected) return;
    if (!this.#server.up) {
      this.process.after(this.#prng.int(...RECONNECT_MS), () => this.#reconnect());
      return;
    }
    this.#connected = true;
    for (const listener of this.#statusListeners) listener(true);
  }

  #toServer(
    job: string,
    what: string,
    lostChance: number,
    epoch: number,
    handle: () => void,
    onLost: () => void = () => {},
  ): void {
    const { lost, delayMs } = this.#travel(job, lostChance);
    if (lost) {
      this.#disturbed(job, "lost requests", `${what}: lost on its way`);
      onLost();
      return;
    }
    this.#world.scheduler.after(delayMs, () => {
      // What was under way when the connection broke may have reached the server, or not.
      const torn = epoch !== this.#epoch && this.#prng.chance(0.5);
      if (torn || !this.#server.up) {
        this.#disturbed(job, "lost requests", `${what}: never arrives`);
        onLost();
        return;
      }
      if (delayMs > LATE_MS) this.#disturbed(job, "late messages", `${what}: arrives after ${Math.round(delayMs)} ms`);
      handle();
    });
  }

  #travel(job: string, lostChance: number): Travel {
    const { delayMs, late } = this.#world.options.bus;
    if (this.#world.strikes(this.#prng, lostChance)) return { lost: true, delayMs: 0 };
    if (this.#world.strikes(this.#prng, late)) {
      const lateMs = this.#prng.magnitude(LATE_MS, 2 * this.#world.options.ackWaitMs);
      this.#world.disturb("late messages", { process: this.process.name, job });
      return { lost: false, delayMs: lateMs };
    }
    return { lost: false, delayMs: this.#prng.magnitude(...delayMs) };
  }

  #disturbed(job: string, count: string, text: string): void {
    this.#world.disturb(count, { process: this.process.name, job });
    this.#note(job, text);
  }

  #note(job: string, text: string): void {
    this.#world.log.add(job, `${this.process.name}  ${text}`);
  }
}

function attempt<T>(work: () => T): { value: T } | { error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
