import type { WorkItem } from "@longhaul/contracts";
import type { Scene } from "../scene.ts";
import type { Witness } from "./witness.ts";

/** The last work item of a job that still needs work is never removed: nothing would bring the job to its end. */
export class ItemCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server">;

  constructor(scene: Pick<Scene, "world" | "server">) {
    this.#scene = scene;
  }

  onGone(sequence: number, item: WorkItem): void {
    const { world, server } = this.#scene;
    world.log.add(item.id, `WORK     item ${sequence} (g${item.generation}) is removed`);
    const job = server.jobs.newest(item.id)?.record;
    if (job?.generation !== item.generation) return;
    if (job.status !== "queued" && job.status !== "running") return;
    const another = server.work
      .all()
      .some((left) => left.item.id === item.id && left.item.generation === job.generation);
    if (!another) world.violate(`item ${sequence} is removed although the job is still ${job.status}`, item.id);
  }
}
