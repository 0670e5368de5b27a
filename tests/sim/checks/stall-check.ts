import type { Arrival } from "../bus/puller.ts";
import { seconds } from "../kernel/event-log.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

/**
 * A delivery that was not heard of for half of ack_wait is put off no more: it may be another worker's by the time the
 * answer arrives, and a nak or a working would act on that one.
 */
export class StallCheck implements Witness {
  readonly #world: World;
  /** When each process last got or put off each item. */
  readonly #heardAt = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  onArrival(process: Process, arrival: Arrival): void {
    this.#heardAt.set(key(process.name, arrival), this.#world.now);
  }

  onPutOff(process: string, what: "nak" | "working", arrival: Pick<Arrival, "sequence" | "item">): void {
    const silentMs = this.#world.now - (this.#heardAt.get(key(process, arrival)) ?? 0);
    if (silentMs > this.#world.options.ackWaitMs / 2) {
      const how = `${what} of item ${arrival.sequence} after a silence of ${seconds(silentMs).trim()}`;
      this.#world.violate(`${process} sends a ${how}, when it may be somebody else's`, arrival.item.id);
    }
    this.#heardAt.set(key(process, arrival), this.#world.now);
  }
}

const key = (process: string, { sequence }: Pick<Arrival, "sequence">) => `${process} ${sequence}`;
