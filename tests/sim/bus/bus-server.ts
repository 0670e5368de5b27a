import type { StoredMessage } from "../../../libs/bus/src/stored.ts";
import type { World } from "../world.ts";
import type { Connection } from "./connection.ts";
import { JobsStream } from "./jobs-stream.ts";
import { WorkStream } from "./work-stream.ts";

type Subscriber = { connection: Connection; job: string; onWrite: (stored: StoredMessage) => void };

/** The simulated NATS server: the streams, and who wants to hear of stored writes. */
export class BusServer {
  readonly jobs: JobsStream;
  readonly work: WorkStream;
  /** While it is down nothing is answered and connections break; what was stored stays. */
  up = true;
  readonly #subscribers = new Set<Subscriber>();

  constructor(world: World) {
    this.jobs = new JobsStream(world.scheduler);
    this.work = new WorkStream(world.scheduler, world.options.ackWaitMs);
    this.jobs.onStored(({ after }) => this.#republish(after));
  }

  /** Notifies of the job's stored writes, once for each and without any promise, until the returned function is called. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  #republish(stored: StoredMessage): void {
    for (const { connection, job, onWrite } of this.#subscribers) {
      if (job === stored.record.id && connection.connected)
        connection.notify(job, `write ${stored.seq}`, () => onWrite(stored));
    }
  }
}
