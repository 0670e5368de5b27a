import { isLive } from "@longhaul/job";
import { jobLog, type Logger } from "@longhaul/runtime";
import { admit } from "./admission.ts";
import { DeliverySlot } from "./delivery-slot.ts";
import { keepDelivery, reportIfLost } from "./heartbeat.ts";
import type { HeldJob } from "./held-job.ts";
import type { Delivery, Stored } from "./ports.ts";
import { ProgressSender } from "./progress-sender.ts";
import { conclude, type RunDeps, type RunEnd, type Work } from "./run.ts";
import { RunLost, ShuttingDown } from "./run-lost.ts";
import { workContext } from "./work-context.ts";

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
  held: HeldJob | null;
  done: Promise<void>;
};

/** Runs the jobs whose items are delivered to this process. */
export class Worker {
  readonly #deps: WorkerDeps;
  /** By the sequence of the item. Two items of one job can be here at once: the record decides which one runs. */
  readonly #active = new Map<number, Active>();
  #stopping = false;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Handles one delivery to its end. Never throws: what goes wrong is logged and the item is delivered again. */
  async handle(delivery: Delivery): Promise<void> {
    const same = this.#active.get(delivery.sequence);
    if (same) {
      same.slot.replace(delivery);
      return;
    }
    await this.#start(delivery);
  }

  /** Reads every running job again, after messages about them may have been missed. */
  async recheck(): Promise<void> {
    const lost = (active: Active) => (error: RunLost) => active.stop.abort(error);
    await Promise.all([...this.#active.values()].map((a) => a.held && reportIfLost(a.held, lost(a), this.#deps.log)));
  }

  /** Stops the work of every run, writes the jobs back as queued and resolves when all of it is done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#active.values()];
    for (const active of all) active.stop.abort(new ShuttingDown());
    await Promise.all(all.map((active) => active.done));
  }

  /** Stops runs of earlier generations of the job, and waits until they are gone. */
  async #endOlder({ id, generation }: Delivery): Promise<void> {
    for (const active of this.#active.values()) {
      if (active.delivery.id !== id || active.delivery.generation >= generation) continue;
      active.stop.abort(new RunLost("fenced"));
      await active.done;
    }
  }

  async #start(delivery: Delivery): Promise<void> {
    const slot = new DeliverySlot(delivery, this.#deps.clock, this.#deps.ackWaitMs);
    const active: Active = { delivery, slot, stop: new AbortController(), held: null, done: Promise.resolve() };
    this.#active.set(delivery.sequence, active);
    active.done = this.#carry(active).finally(() => this.#active.delete(delivery.sequence));
    if (this.#stopping) active.stop.abort(new ShuttingDown());
    await active.done;
  }

  async #carry(active: Active): Promise<void> {
    const { delivery, slot, stop } = active;
    // Subscribed before the claim, so that no write after it can be missed.
    const watch = this.#watch(active);
    try {
      // In the registry all the while: a second delivery of the item must find this one, and not start a run of its own.
      await this.#endOlder(delivery);
      const held = await admit(delivery, slot, this.#deps);
      if (held === null) return;
      active.held = held;
      // The claim may have taken a while; the item's time begins anew now.
      slot.working();
      const log = jobLog(this.#deps.log, held.record);
      const { generation, failures, crashes, run } = held.record;
      log.info({ generation, failures, crashes, run: run?.id }, "run started");
      watch.compare();
      await this.#run(active, held, log);
    } catch (error) {
      this.#deps.log.error({ err: error, job_id: delivery.id }, "a delivery failed; it will come again");
    } finally {
      stop.abort(new RunLost("fenced"));
      watch.close();
    }
  }

  async #run(active: Active, held: HeldJob, log: Logger): Promise<void> {
    const { slot, stop, delivery } = active;
    const { clock, ackWaitMs, progressIntervalMs, work } = this.#deps;
    const over = new AbortController();
    const startedAt = clock.monotonic();
    const lost = (error: RunLost) => stop.abort(error);
    const heartbeat = keepDelivery(slot, held, lost, { clock, ackWaitMs, log, signal: over.signal });
    const sender = new ProgressSender(held, clock, progressIntervalMs, stop.signal);
    const doWork = () => work(held.record, workContext(held, sender, stop.signal));
    try {
      const end = await conclude(held, delivery, slot, doWork, stop.signal, this.#deps);
      this.#deps.onEnd(end, held, clock.monotonic() - startedAt);
    } finally {
      over.abort();
      await heartbeat;
    }
  }

  /** Stops the run as soon as a stored write shows that the job is no longer this run's. */
  #watch(active: Active): { compare(): void; close(): void } {
    let newest: Stored | null = null;
    const compare = () => {
      const { held, stop } = active;
      if (held === null || newest === null || newest.seq <= held.seq) return;
      const run = isLive(newest.record) ? newest.record.run?.id : null;
      if (run !== held.record.run?.id) stop.abort(new RunLost("fenced"));
    };
    const close = this.#deps.jobs.watch(active.delivery.id, (stored) => {
      if (newest === null || stored.seq > newest.seq) newest = stored;
      compare();
    });
    return { compare, close };
  }
}
