import type { Logger } from "@longhaul/runtime";
import type { RunEnd } from "../../../services/processor/src/job/run.ts";
import { Worker } from "../../../services/processor/src/job/worker.ts";
import { ownsResult } from "../../../services/processor/src/work/work.ts";
import { BusClient } from "../bus/bus-client.ts";
import { Connection } from "../bus/connection.ts";
import { type Arrival, Puller } from "../bus/puller.ts";
import { withItem } from "../kernel/in-hand.ts";
import { Process } from "../kernel/process.ts";
import type { Scene } from "../scene.ts";
import { keepHouse } from "./housekeeper.ts";
import { simulatedLog, unforeseen } from "./simulated-log.ts";
import { createSimulatedWork } from "./simulated-work.ts";

const MAX_CRASHES = 5;
/** A process that was told to end is killed after this time. */
const GRACE_MS = 40_000;

/** A processor: the real worker on a simulated machine. When it died another takes its place, with the next number. */
export class WorkerActor {
  readonly #scene: Scene;
  readonly #place: string;
  readonly process: Process;
  readonly connection: Connection;
  readonly #stopping = new AbortController();
  readonly #puller: Puller;
  readonly #worker: Worker;
  readonly #log: Logger;

  constructor(scene: Scene, place: string, life: number) {
    const { world, server } = scene;
    this.#scene = scene;
    this.#place = place;
    const name = `${place}.${life}`;
    this.process = new Process(name, world.scheduler, world.prng(name));
    this.connection = new Connection(this.process, server, world);
    this.#log = simulatedLog(world, this.process);
    this.#worker = this.#realWorker();
    this.connection.onStatus((connected) => connected && void this.#worker.recheck());
    keepHouse(new BusClient(this.connection, scene), scene, this.#log, this.#stopping.signal);
    this.#puller = new Puller(this.connection, server, world.options.slotsPerWorker, (arrival) => this.#take(arrival));
  }

  /** SIGTERM: it stops pulling, hands its jobs back and ends; killed when that takes too long. */
  terminate(): void {
    this.#puller.stop();
    this.#stopping.abort();
    const ended = () => this.process.kill();
    this.process.run(() => void this.#worker.stop().then(() => this.process.after(1_000, ended)));
    this.#scene.world.scheduler.after(GRACE_MS, ended);
  }

  /** Another process on the same machine. */
  successor(life: number): WorkerActor {
    return new WorkerActor(this.#scene, this.#place, life);
  }

  async #take(arrival: Arrival): Promise<void> {
    const { item, sequence, count } = arrival;
    const { witnesses, world } = this.#scene;
    world.log.add(item.id, `${this.process.name}  gets delivery ${count} of item ${sequence} (g${item.generation})`);
    witnesses.onArrival(this.process, arrival);
    const putOff = (what: "nak" | "working") => witnesses.onPutOff(this.process.name, what, arrival);
    const delivery = {
      ...arrival,
      ...item,
      nak(delayMs: number) {
        putOff("nak");
        arrival.nak(delayMs);
      },
      working() {
        putOff("working");
        arrival.working();
      },
    };
    await withItem(sequence, () => this.#worker.handle(delivery));
  }

  #realWorker(): Worker {
    const { world } = this.#scene;
    const { process } = this;
    const bus = new BusClient(this.connection, this.#scene);
    return new Worker({
      jobs: {
        newest: (id) => bus.newest(id),
        direct: (id) => bus.direct(id),
        put: bus.put,
        watch: (id, onWrite) => bus.watch(id, onWrite),
      },
      items: { alive: (sequence, id) => bus.itemAlive(sequence, id) },
      progress: { publish: () => {} },
      clock: process.clock,
      random: process.random,
      source: "/longhaul/processor",
      retention: world.options.retention,
      writeDeadlineMs: world.options.ackWaitMs,
      log: this.#log,
      worker: process.name,
      maxCrashes: MAX_CRASHES,
      ownsResult,
      policy: { maxAttempts: 3, retryBaseMs: 2_000 },
      work: createSimulatedWork(process, this.#scene),
      ackWaitMs: world.options.ackWaitMs,
      progressIntervalMs: 1_000,
      onEnd: (end, held) => this.#ended(end, held.record.id),
    });
  }

  #ended({ outcome, failure }: RunEnd, job: string): void {
    const { world } = this.#scene;
    world.statistics.count(`runs ${outcome}`);
    world.log.add(job, `${this.process.name}  run ended: ${outcome}${failure ? ` (${failure.code})` : ""}`);
    if (failure?.code === "INTERNAL") unforeseen(world, this.process, failure, job);
  }
}
