import type { Clock } from "@longhaul/runtime";
import type { Delivery } from "./ports.ts";

/**
 * The newest delivery of the item that a run was started for.
 *
 * An answer through the reply subject of an old delivery acts on its successor's: a `nak` would send the item to a
 * third worker, a `working` would keep it from being redelivered at all. So after a stall of the process longer than
 * half of ack_wait nothing but an ack is sent any more, until the item is delivered to this process again.
 */
export class DeliverySlot {
  readonly #clock: Clock;
  readonly #maxSilenceMs: number;
  #delivery: Delivery;
  #answeredAt: number;
  #stale = false;

  constructor(delivery: Delivery, clock: Clock, ackWaitMs: number) {
    this.#delivery = delivery;
    this.#clock = clock;
    this.#maxSilenceMs = ackWaitMs / 2;
    this.#answeredAt = clock.monotonic();
  }

  /** A later delivery of the same item came to this process. */
  replace(delivery: Delivery): void {
    this.#delivery = delivery;
    this.#answeredAt = this.#clock.monotonic();
    this.#stale = false;
  }

  /** Time since the delivery, or since what was last said about it, milliseconds. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#answeredAt;
  }

  /** Whether the delivery may have gone to another worker meanwhile. Sticky until the item is delivered again. */
  get stale(): boolean {
    if (this.silentMs > this.#maxSilenceMs) this.#stale = true;
    return this.#stale;
  }

  /** Only after a write or a leader read that says that the item's generation needs no more work. */
  ack(): void {
    this.#delivery.ack();
  }

  nak(delayMs: number): void {
    if (!this.stale) this.#delivery.nak(delayMs);
  }

  working(): void {
    if (this.stale) return;
    this.#delivery.working();
    this.#answeredAt = this.#clock.monotonic();
  }
}
