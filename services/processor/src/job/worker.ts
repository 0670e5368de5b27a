import { admit } from "./admission.ts";
import { DeliverySlot } from "./delivery-slot.ts";
import type { HeldJob } from "./held-job.ts";
import type { Delivery } from "./ports.ts";
import { ProgressSender } from "./progress-sender.ts";
import { conclude, type RunDeps, type RunEnd, type Work } from "./run.ts";
import { RunGuard } from "./run-guard.ts";
import { RunLost, ShuttingDown } from "./run-lost.ts";
import { workContext } from "./work-context.ts";

/** How often the runs are looked after; more often where ack_wait is short. */
const LOOK_MS = 250;
const LOOKS_PER_ACK_WAIT = 12;
/** Ends what a run that is over may have left behind. Made once: a stack for each run is dear. */
const RUN_OVER = new RunLost("fenced");

export type WorkerDeps = RunDeps & {
  work: Work;
  ackWaitMs: number;
  progressIntervalMs: number;
  onEnd(end: RunEnd, held: HeldJob, durationMs: number): void;
};

/** A delivery that is being decided or whose job is being run. */
type Active = {
  delivery: Delivery;
  slot: DeliverySlot;
  stop: AbortController;
  /** Of the run, as soon as the job is claimed. */
  guard: RunGuard | null;
  done: Promise<void>;
};

/** Runs the jobs whose items are delivered to this process. */
export class Worker {
  readonly #deps: WorkerDeps;
  /**
   * One for each item, never more than the slots. Two items of one job can be here at once: the record decides which one
   * runs. A Map would be dear: V8 links each table that a Map has outgrown to the next, and with entries that come and
   * go all the time those links keep ended jobs from being collected while young.
   */
  readonly #active: Active[] = [];
  #stopping = false;
  #looking = false;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Handles one delivery to its end. Never throws: what goes wrong is logged and the item is delivered again. */
  async handle(delivery: Delivery): Promise<void> {
    const same = this.#active.find((active) => active.delivery.sequence === delivery.sequence);
    if (same) {
      same.slot.replace(delivery);
      return;
    }
    await this.#start(delivery);
  }

  /** Reads every running job again, after messages about them may have been missed. */
  async recheck(): Promise<void> {
    await Promise.all(this.#active.map(({ guard }) => guard?.verify()));
  }

  /** Stops the work of every run, writes the jobs back as queued and resolves when all of it is done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#active];
    for (const active of all) active.stop.abort(new ShuttingDown());
    await Promise.all(all.map((active) => active.done));
  }

  /** Stops runs of earlier generations of the job, and waits until they are gone. */
  async #endOlder({ id, generation }: Delivery): Promise<void> {
    if (generation === 1) return;
    for (const active of [...this.#active]) {
      if (active.delivery.id !== id || active.delivery.generation >= generation) continue;
      active.stop.abort(new RunLost("fenced"));
      await active.done;
    }
  }

  async #start(delivery: Delivery): Promise<void> {
    const slot = new DeliverySlot(delivery, this.#deps.clock, this.#deps.ackWaitMs);
    const active: Active = { delivery, slot, stop: new AbortController(), guard: null, done: Promise.resolve() };
    this.#active.push(active);
    active.done = this.#carry(active).finally(() => this.#active.splice(this.#active.indexOf(active), 1));
    if (this.#stopping) active.stop.abort(new ShuttingDown());
    if (!this.#looking) void this.#lookAfterRuns();
    await active.done;
  }

  async #carry(active: Active): Promise<void> {
    const { delivery, slot, stop } = active;
    try {
      // In the registry all the while: a second delivery of the item must find this one, and not start a run of its own.
      await this.#endOlder(delivery);
      const held = await admit(delivery, slot, this.#deps);
      if (held === null) return;
      active.guard = new RunGuard(slot, held, (lost) => stop.abort(lost), this.#deps);
      await this.#run(active, held);
    } catch (error) {
      this.#deps.log.error({ err: error, job_id: delivery.id }, "a delivery failed; it will come again");
    } finally {
      stop.abort(RUN_OVER);
      active.guard?.end();
    }
  }

  async #run({ delivery, slot, stop }: Active, held: HeldJob): Promise<void> {
    const { clock, progressIntervalMs, work } = this.#deps;
    const startedAt = clock.monotonic();
    const sender = new ProgressSender(held, clock, progressIntervalMs, stop.signal);
    const doWork = () => work(held.record, workContext(held, sender, stop.signal));
    const end = await conclude(held, delivery, slot, doWork, stop.signal, this.#deps);
    this.#deps.onEnd(end, held, clock.monotonic() - startedAt);
  }

  /** One timer for all runs, for as long as there are any. */
  async #lookAfterRuns(): Promise<void> {
    const { clock, ackWaitMs } = this.#deps;
    const everyMs = Math.min(LOOK_MS, ackWaitMs / LOOKS_PER_ACK_WAIT);
    this.#looking = true;
    while (this.#active.length > 0) {
      await clock.sleep(everyMs);
      for (const { guard } of this.#active) guard?.look();
    }
    this.#looking = false;
  }
}
