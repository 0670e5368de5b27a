import type { JobRecord, Run } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Arrival } from "../bus/puller.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

/** What a process did with an item since it came: when that was, and the sequence that its first write named. */
type Handling = { arrivedAt: number; firstNamed: number | null };

/**
 * A run is taken over only when something befell it, its taker, or a message about the job; and only by a taker that
 * had seen it at the first look. So the crashes that a job is charged with are no more than the disturbances it had.
 */
export class TakeoverCheck implements Witness {
  readonly #world: World;
  readonly #handlings = new Map<string, Handling>();
  /** When and at which sequence each run was stored. */
  readonly #runs = new Map<string, { at: number; seq: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  onArrival(process: Process, { item }: Arrival): void {
    this.#handlings.set(handling(process.name, item.id), { arrivedAt: this.#world.now, firstNamed: null });
  }

  onAppend(process: string, job: string, expectedSeq: number): void {
    const current = this.#handlings.get(handling(process, job));
    if (current) current.firstNamed ??= expectedSeq;
  }

  onStored({ by, before, after }: StoredWrite): void {
    const { record } = after;
    const old = runOf(before?.record);
    const run = runOf(record);
    if (run && run.id !== old?.id) this.#runs.set(run.id, { at: this.#world.now, seq: after.seq });
    if (record.status === "erased" || before === null || before.record.status === "erased") return;
    if (old && record.crashes > before.record.crashes) this.#takeover(by, old, before.record, record);
    else if (record.crashes > before.record.crashes) {
      this.#world.violate(`a crash is counted although nobody had the job (by ${by})`, record.id);
    }
  }

  #takeover(by: string, old: Run, before: JobRecord, after: JobRecord): void {
    this.#world.statistics.count(after.status === "failed" ? "jobs given up after crashes" : "takeovers");
    if (after.crashes !== before.crashes + 1) {
      this.#world.violate(`${by} counts ${after.crashes - before.crashes} crashes for one takeover`, after.id);
    }
    const began = this.#runs.get(old.id);
    const taker = this.#handlings.get(handling(by, after.id));
    if (!began || !taker) {
      this.#world.violate(`${by} takes over run ${old.id} without a delivery`, after.id);
    } else if (taker.firstNamed !== null && taker.firstNamed < began.seq) {
      const named = `it first wrote on ${taker.firstNamed}, the run began with ${began.seq}`;
      this.#world.violate(`${by} takes over a run that it had not seen at first: ${named}`, after.id);
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

const handling = (process: string, job: string) => `${process} ${job}`;
const runOf = (record: JobRecord | { status: "erased" } | undefined): Run | null =>
  record && record.status !== "erased" ? record.run : null;
