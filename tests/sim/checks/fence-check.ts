import type { StoredRecord } from "@longhaul/contracts";
import type { Process } from "../kernel/process.ts";
import { jobOf } from "../objects/object-client.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

type Known = { seq: number; run: string | null; at: number };

/** A run whose process has been told that the job is no longer its own makes no further call to the object store. */
export class FenceCheck implements Witness {
  readonly #world: World;
  /** The newest that each process has been told of each job. */
  readonly #known = new Map<string, Known>();
  /** Sequences of the writes that each run made. */
  readonly #written = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  onStored({ after }: { after: { seq: number; record: StoredRecord } }): void {
    const { record } = after;
    if (record.status === "running" && record.run) this.#written.set(record.run.id, after.seq);
  }

  onLearned(process: string, job: string, seq: number, record: StoredRecord): void {
    const key = `${process} ${job}`;
    if (seq <= (this.#known.get(key)?.seq ?? 0)) return;
    const run = record.status === "erased" ? null : (record.run?.id ?? null);
    this.#known.set(key, { seq, run, at: this.#world.now });
  }

  onStoreCall(process: Process, run: string | null, what: string, key: string): void {
    const job = jobOf(key);
    if (run === null) {
      this.#world.violate(`${process.name} calls the store (${what}) outside of any run`, job);
      return;
    }
    const known = this.#known.get(`${process.name} ${job}`);
    const written = this.#written.get(run);
    if (written === undefined) {
      this.#world.violate(`${process.name} calls the store (${what}) before its claim is stored`, job);
    } else if (known && known.seq > written && known.run !== run) {
      this.#world.violate(
        `${process.name} calls the store (${what} ${key}) although it knows that run ${run} is over`,
        job,
      );
    }
  }
}
