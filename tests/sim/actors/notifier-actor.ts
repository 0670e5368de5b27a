import { expireJob } from "../../../services/notifier/src/expiry/expire-job.ts";
import { expiryLoop } from "../../../services/notifier/src/expiry/expiry-loop.ts";
import { BusClient } from "../bus/bus-client.ts";
import { Connection } from "../bus/connection.ts";
import { keepUp } from "../kernel/keep-up.ts";
import { Process } from "../kernel/process.ts";
import type { Scene } from "../scene.ts";
import { createViewClient } from "../views/view-client.ts";
import { simulatedLog } from "./simulated-log.ts";

const BUS_TIMEOUT_MS = 5_000;

/** A notifier, as far as it ends what is past its time: the real expiry on a simulated machine. */
export class NotifierActor {
  readonly process: Process;
  readonly connection: Connection;
  /** Gives a job the command `expire` out of turn, as a round that begins now would. */
  readonly expire: (id: string) => Promise<string>;
  readonly #scene: Scene;
  readonly #place: string;

  constructor(scene: Scene, place: string, life: number) {
    const { world, server, views } = scene;
    this.#scene = scene;
    this.#place = place;
    const name = `${place}.${life}`;
    this.process = new Process(name, world.scheduler, world.prng(name));
    this.connection = new Connection(this.process, server, world);
    const { clock, random } = this.process;
    const bus = new BusClient(this.connection, scene);
    const { get, ending } = createViewClient(this.process, views, world);
    const { retention, pace } = world.options;
    const config = { ...retention, busTimeoutMs: BUS_TIMEOUT_MS, expiryIntervalMs: pace.expiryMs };
    const log = simulatedLog(world, this.process);
    const ports = {
      newest: (id: string) => bus.newest(id),
      view: get,
      put: bus.put,
      now: clock.now,
      unit: () => random.unit(),
    };
    const expiry = expiryLoop({ ports, ending, config, clock, random, log });
    this.expire = (id) => expireJob(id, ports, config);
    this.process.run(() => void keepUp(expiry, clock, log, new AbortController().signal));
  }

  successor(life: number): NotifierActor {
    return new NotifierActor(this.#scene, this.#place, life);
  }
}
