import type { JobRecord, UploadedPart } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Scene } from "../scene.ts";
import type { Witness } from "./witness.ts";

/** A run names only parts that it has sent itself, with an answer, or that the record named already. */
export class PartsCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "store">;
  /** The run that each part was acknowledged to, by its ETag: no two parts share one. */
  readonly #sentBy = new Map<string, string>();
  /** ETags that the newest record of a job names. */
  readonly #named = new Map<string, ReadonlySet<string>>();

  constructor(scene: Pick<Scene, "world" | "store">) {
    this.#scene = scene;
  }

  onPartSent(run: string, etag: string): void {
    this.#sentBy.set(etag, run);
  }

  onStored({ after: { record } }: StoredWrite): void {
    if (record.status === "erased") return;
    const before = this.#named.get(record.id);
    const named = new Set(this.#partsOf(record).map(([, etag]) => etag));
    this.#named.set(record.id, named);
    const added = [...named].some((etag) => !before?.has(etag));
    if (added && [...named].some((etag) => this.#sentBy.get(etag) !== record.run?.id)) {
      this.#scene.world.statistics.count("checkpoints that go on from another run's parts");
    }
    const strange = [...named].find((etag) => !before?.has(etag) && this.#sentBy.get(etag) !== record.run?.id);
    if (strange === undefined) return;
    this.#scene.world.violate(`run ${record.run?.id} believes part ${strange}, which no checkpoint named`, record.id);
  }

  #partsOf({ checkpoint }: JobRecord): UploadedPart[] {
    const parts = checkpoint?.parts ?? [];
    if (!("ref" in parts)) return parts;
    return JSON.parse(Buffer.from(this.#scene.store.get(parts.ref.key)).toString());
  }
}
