import type { JobRecord } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import { crcOf } from "../objects/object-server.ts";
import type { Scene } from "../scene.ts";
import type { Witness } from "./witness.ts";

/** Whoever is told that a job is completed finds its result, whole, from the write on and for as long as it is named. */
export class ResultCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "store" | "server">;

  constructor(scene: Pick<Scene, "world" | "store" | "server">) {
    this.#scene = scene;
  }

  onStored({ after }: StoredWrite): void {
    if (after.record.status === "completed") this.#look(after.record);
  }

  atRest(): void {
    for (const { record } of this.#scene.server.jobs.all()) if (record.status === "completed") this.#look(record);
  }

  #look({ id, result }: JobRecord): void {
    const problem = this.#problem(result);
    if (problem) this.#scene.world.violate(`the job is completed, but ${problem}`, id);
  }

  #problem(result: JobRecord["result"]): string | null {
    if (result === null || result.key === null) return "it names no result";
    if (result.kind !== "owned") return null;
    const bytes = this.#scene.store.objects.get(result.key);
    if (!bytes) return `there is no object ${result.key}`;
    if (bytes.length !== result.sizeBytes) return `its object has ${bytes.length} bytes and not ${result.sizeBytes}`;
    return crcOf(bytes) === result.crc32 ? null : `its object has the checksum ${crcOf(bytes)} and not ${result.crc32}`;
  }
}
