import type { JobRecord, Run, StoredRecord } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Arrival } from "../bus/puller.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

/**
 * A run is taken over only when something befell it, its taker, or a message about the job; and only by a taker that
 * had seen it at the first look. So the crashes that a job is charged with are no more than the disturbances it had.
 */
export class TakeoverCheck implements Witness {
  readonly #world: World;
  /** The sequence that a process's first write for an item named, since the item came; null = none was sent yet. */
  readonly #firstNamed = new Map<string, number | null>();
  /** The item for which a process sent a write on a sequence. */
  readonly #writtenFor = new Map<string, number | null>();
  /** When and at which sequence each run was stored. */
  readonly #runs = new Map<string, { at: number; seq: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  onArrival(process: Process, { sequence }: Arrival): void {
    this.#firstNamed.set(`${process.name} ${sequence}`, null);
  }

  onAppend(process: string, job: string, expectedSeq: number, item: number | null): void {
    this.#writtenFor.set(`${process} ${job} ${expectedSeq}`, item);
    const hand = `${process} ${item}`;
    if (this.#firstNamed.get(hand) === null) this.#firstNamed.set(hand, expectedSeq);
  }

  onStored({ by, before, after, expectedSeq }: StoredWrite): void {
    const { record } = after;
    const old = runOf(before?.record);
    const run = runOf(record);
    if (run && run.id !== old?.id) this.#runs.set(run.id, { at: this.#world.now, seq: after.seq });
    if (record.status === "erased" || before === null || before.record.status === "erased") return;
    if (record.crashes <= before.record.crashes) return;
    if (old) this.#takeover(by, old, before.record, record, expectedSeq);
    else this.#world.violate(`a crash is counted although nobody had the job (by ${by})`, record.id);
  }

  #takeover(by: string, old: Run, before: JobRecord, after: JobRecord, expectedSeq: number): void {
    this.#world.statistics.count(after.status === "failed" ? "jobs given up after crashes" : "takeovers");
    if (after.crashes !== before.crashes + 1) {
      this.#world.violate(`${by} counts ${after.crashes - before.crashes} crashes for one takeover`, after.id);
    }
    const began = this.#runs.get(old.id);
    const item = this.#writtenFor.get(`${by} ${after.id} ${expectedSeq}`) ?? null;
    const named = this.#firstNamed.get(`${by} ${item}`);
    if (!began || item === null) {
      this.#world.violate(`${by} takes over run ${old.id} without a delivery`, after.id);
    } else if (typeof named === "number" && named < began.seq) {
      const how = `it first wrote on ${named}, the run began with ${began.seq}`;
      this.#world.violate(`${by} takes over a run that it had not seen at first: ${how}`, after.id);
    } else if (!this.#disturbed([old.worker, by], after.id, began.at)) {
      this.#world.violate(`${by} takes over a healthy run of ${old.worker}`, after.id);
    }
  }

  /** Whether since then anything befell one of the processes, a message about the job, or the whole bus. */
  #disturbed(processes: string[], job: string, since: number): boolean {
    return this.#world.disturbances.some(
      (it) =>
        it.at >= since - 2 * this.#world.options.ackWaitMs &&
        (it.job === job || (it.job === null && (it.process === null || processes.includes(it.process)))),
    );
  }
}

const runOf = (record: StoredRecord | undefined): Run | null =>
  record && record.status !== "erased" ? record.run : null;
