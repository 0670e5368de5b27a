import type { JobRecord } from "@longhaul/contracts";
import { isPlainFile } from "../../../services/processor/src/work/owned-file.ts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import { crcOf } from "../objects/object-server.ts";
import { isMissing, sourceBytes, versionOf } from "../objects/simulated-source.ts";
import type { Scene } from "../scene.ts";
import { storedEntries } from "./stored-entries.ts";
import type { Witness } from "./witness.ts";

/** Whoever is told that a job is completed finds its result: whole, and with exactly the files that are there. */
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

  #look(record: JobRecord): void {
    const problem = this.#problem(record);
    if (problem) this.#scene.world.violate(`the job is completed, but ${problem}`, record.id);
  }

  #problem(record: JobRecord): string | null {
    const { result, spec } = record;
    if (!result?.key) return "it names no result";
    const present = this.#fileIds(spec).filter((fileId) => !isMissing(this.#scene.world, fileId));
    if (result.partial !== present.length < spec.filesTotal) return `partial is ${result.partial}`;
    if (result.kind !== "owned") return null;
    const bytes = this.#scene.store.objects.get(result.key);
    if (!bytes) return `there is no object ${result.key}`;
    if (bytes.length !== result.sizeBytes) return `its object has ${bytes.length} bytes and not ${result.sizeBytes}`;
    if (crcOf(bytes) !== result.crc32) return `its object has the checksum ${crcOf(bytes)} and not ${result.crc32}`;
    if (isPlainFile(record)) return this.#isFile(present[0] ?? 0, Buffer.from(bytes)) ? null : "it is another file";
    return this.#contentProblem(Buffer.from(bytes), present, result.partial);
  }

  #fileIds({ fileIds, ref }: JobRecord["spec"]): number[] {
    if (ref === null) return fileIds ?? [];
    return JSON.parse(Buffer.from(this.#scene.store.get(ref.key)).toString());
  }

  #contentProblem(zip: Buffer, present: number[], partial: boolean): string | null {
    try {
      const entries = storedEntries(zip);
      if (entries.length !== present.length + (partial ? 1 : 0)) return `its archive has ${entries.length} entries`;
      const wrong = present.find((fileId, i) => !this.#isFile(fileId, entries[i]?.bytes));
      return wrong === undefined ? null : `file ${wrong} is not in its place in the archive`;
    } catch (error) {
      return `its archive cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Whether these are all bytes of one version that the file has had. */
  #isFile(fileId: number, bytes: Buffer | undefined): boolean {
    const versions = versionOf(this.#scene.world, fileId) === 0 ? [0] : [0, 1];
    return versions.some((version) => bytes?.equals(sourceBytes(fileId, version)));
  }
}
