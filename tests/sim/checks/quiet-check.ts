import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

const TROUBLES = ["retrying", "takeover", "failed", "handedback"];

/** Where nothing goes wrong every job is done at its first try: what fails all the same is a defect, of the world's perhaps. */
export class QuietCheck implements Witness {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  onStored({ after: { record } }: StoredWrite): void {
    if (this.#world.options.mood !== "quiet" || record.status === "erased") return;
    const event = record.timeline.at(-1)?.event ?? "";
    if (TROUBLES.includes(event))
      this.#world.violate(`${event} although nothing goes wrong in this history`, record.id);
  }
}
