import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Process } from "../kernel/process.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import { namesObject, namesUpload, payloadsOf, standingOf } from "./named.ts";
import type { Witness } from "./witness.ts";

/**
 * A run makes things only under a key that it was the first to name, after the record names it; payloads are there
 * before a record names them; and what a record names is not deleted.
 */
export class NamesCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server" | "store" | "views">;
  /** The run that was the first to name a key. */
  readonly #namedBy = new Map<string, string | null>();

  constructor(scene: Pick<Scene, "world" | "server" | "store" | "views">) {
    this.#scene = scene;
    scene.store.onRemoved((what, key) => this.#removed(what, key));
  }

  onStored({ after: { record } }: StoredWrite): void {
    const key = record.status === "erased" ? undefined : record.checkpoint?.upload.key;
    const lost = payloadsOf(record).find((ref) => !this.#scene.store.objects.has(ref.key));
    if (lost) this.#scene.world.violate(`the record names the payload ${lost.key}, which is not there`, record.id);
    if (key && record.status !== "erased" && !this.#namedBy.has(key)) this.#namedBy.set(key, record.run?.id ?? null);
  }

  onStoreCall({ name }: Process, run: string | null, what: string, key: string): void {
    if (what === "head" || what.startsWith("payload")) return;
    if (!this.#namedBy.has(key)) {
      this.#scene.world.violate(`${name} calls the store (${what}) before the key is named`, jobOf(key));
    } else if ((what.startsWith("put") || what.startsWith("create")) && this.#namedBy.get(key) !== run) {
      this.#scene.world.violate(`${name} calls the store (${what}) under a key that an earlier run named`, jobOf(key));
    }
  }

  #removed(what: "upload" | "object", key: string): void {
    const job = jobOf(key);
    const record = standingOf(this.#scene, job ?? "");
    const isNamed = what === "upload" ? namesUpload(record, key) : namesObject(record, key);
    if (isNamed) this.#scene.world.violate(`the ${what} ${key} is removed although the job names it`, job);
  }
}
