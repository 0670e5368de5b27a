import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Scene } from "../scene.ts";
import type { ViewChange } from "../views/view-server.ts";
import type { Witness } from "./witness.ts";

/**
 * A view only goes forward, and never ahead of its job; a job is forgotten only when `JOBS` has let it go, and is then
 * at its end.
 */
export class ViewCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server">;
  /** The highest sequence that a view of each job has shown. */
  readonly #shown = new Map<string, number>();

  constructor({ world, server, views }: Pick<Scene, "world" | "server" | "views">) {
    this.#scene = { world, server };
    views.onChange((change) => this.#changed(change));
  }

  /** A job that begins anew, with its key, goes on counting: sequences are never used twice. */
  onStored({ after: { record, seq } }: StoredWrite): void {
    const shown = this.#shown.get(record.id) ?? 0;
    if (seq <= shown) this.#scene.world.violate(`write ${seq} comes after its view has shown ${shown}`, record.id);
  }

  #changed({ before, after }: ViewChange): void {
    const { world, server } = this.#scene;
    const id = (after ?? before)?._id ?? "";
    if (after === null) return;
    const shown = this.#shown.get(id) ?? 0;
    this.#shown.set(id, Math.max(shown, after.seq));
    if (after.seq < shown) world.violate(`the view goes back from ${shown} to ${after.seq}`, id);
    const last = server.jobs.last(id);
    if (after.seq > (last?.seq ?? 0)) world.violate(`the view shows ${after.seq} before it is written`, id);
    if (!("erased" in after) || last?.record.status === "erased") return;
    world.statistics.count("views forgotten");
    world.log.add(id, `view     of ${after.seq} becomes a tombstone`);
    if (server.jobs.newest(id)) world.violate("the view is forgotten although the job is still in JOBS", id);
  }
}
