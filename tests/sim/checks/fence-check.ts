import type { Stored } from "../../../libs/bus/src/stored.ts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Process } from "../kernel/process.ts";
import { jobOf } from "../objects/object-client.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

type Run = { item: number; writtenSeq: number };

/** A run that has been told that the job is no longer its own makes no further call to the object store. */
export class FenceCheck implements Witness {
  readonly #world: World;
  readonly #runs = new Map<string, Run>();
  /** The newest that each process has been told of a job, in its work for an item or for none in particular. */
  readonly #known = new Map<string, { seq: number; run: string | null }>();

  constructor(world: World) {
    this.#world = world;
  }

  onStored({ after: { seq, record } }: StoredWrite): void {
    if (record.status === "running" && record.run)
      this.#runs.set(record.run.id, { item: record.run.item, writtenSeq: seq });
  }

  onLearned(process: string, { seq, record }: Stored, item: number | null): void {
    const key = place(process, record.id, item);
    if (seq <= (this.#known.get(key)?.seq ?? 0)) return;
    this.#known.set(key, { seq, run: record.status === "erased" ? null : (record.run?.id ?? null) });
  }

  onStoreCall({ name }: Process, runId: string | null, what: string, key: string): void {
    const job = jobOf(key);
    const run = runId === null ? undefined : this.#runs.get(runId);
    if (!run) {
      this.#world.violate(`${name} calls the store (${what}) without a claim that is stored`, job);
      return;
    }
    const told = [run.item, null].map((item) => this.#known.get(place(name, job, item)));
    if (told.some((known) => known && known.seq > run.writtenSeq && known.run !== runId)) {
      this.#world.violate(`${name} calls the store (${what}) although its run ${runId} knows that it is over`, job);
    }
  }
}

const place = (process: string, job: string | null, item: number | null) => `${process} ${job} ${item}`;
