import type { PayloadRef, StoredRecord } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Process } from "../kernel/process.ts";
import { jobOf } from "../objects/object-client.ts";
import type { Scene } from "../scene.ts";
import type { Witness } from "./witness.ts";

const UNFINISHED: readonly StoredRecord["status"][] = ["queued", "running", "paused"];

/** Whether the record says that an upload under this key is in use. */
export function namesUpload(record: StoredRecord | null, key: string): boolean {
  if (record === null || record.status === "erased" || !UNFINISHED.includes(record.status)) return false;
  return record.checkpoint?.upload.key === key;
}

/** Whether the record says that the object is in use. */
export function namesObject(record: StoredRecord | null, key: string): boolean {
  if (payloadsOf(record).some((ref) => ref.key === key)) return true;
  if (record?.status === "completed") return record.result?.key === key;
  return namesUpload(record, key);
}

/** The payloads that the record says are in use. */
function payloadsOf(record: StoredRecord | null): PayloadRef[] {
  if (record === null || record.status === "erased") return [];
  const { spec, plan, outcomes, checkpoint } = record;
  const lists = [outcomes?.exceptions, checkpoint?.parts, checkpoint?.sealed?.parts];
  return [spec.ref, plan?.ref, ...lists.map((list) => (list && "ref" in list ? list.ref : null))].filter(
    (ref) => !!ref,
  );
}

/**
 * A run makes things only under a key that it was the first to name, after the record names it; payloads are there
 * before a record names them; and what a record names is not deleted.
 */
export class NamesCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "server" | "store">;
  /** The run that was the first to name a key. */
  readonly #namedBy = new Map<string, string | null>();

  constructor(scene: Pick<Scene, "world" | "server" | "store">) {
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
    const record = this.#scene.server.jobs.newest(job ?? "")?.record ?? null;
    const isNamed = what === "upload" ? namesUpload(record, key) : namesObject(record, key);
    if (isNamed) this.#scene.world.violate(`the ${what} ${key} is removed although the job names it`, job);
  }
}
