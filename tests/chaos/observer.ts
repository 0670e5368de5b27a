import { type Bus, connectBus, createCore, type StoredMessage } from "@longhaul/bus";
import type { JobRecord, Progress } from "@longhaul/contracts";
import { createLogger } from "@longhaul/runtime";
import type { Ledger } from "./ledger.ts";

/** A job that runs, as the newest stored write that was seen says. */
export type Running = { id: string; seq: number; record: JobRecord; pid: number };

type Watcher = (running: Running, progress: Progress | null) => boolean;

/** Sees stored writes and progress as they happen, writes them into the ledger, and says when a job is where one waits for it. */
export class Observer {
  readonly bus: Bus;
  readonly #running = new Map<string, Running>();
  readonly #watchers = new Set<Watcher>();

  private constructor(bus: Bus, ledger: Ledger) {
    this.bus = bus;
    const core = createCore(bus, createLogger("chaos", "error"));
    core.subscribeStored("*", (stored) => {
      ledger.stored(stored);
      this.#see(stored);
    });
    core.subscribeProgress((id, message) => {
      const running = this.#running.get(id);
      if (running?.seq === message.seq) this.#tell(running, message.progress);
    });
  }

  static async open(natsUrl: string, ledger: Ledger): Promise<Observer> {
    const log = createLogger("chaos", "silent");
    const observer = new Observer(await connectBus({ servers: [natsUrl], name: "chaos", log }), ledger);
    await observer.bus.ping(5_000);
    return observer;
  }

  /** What runs in the process with this number, or (without) anywhere. */
  running(pid?: number): Running[] {
    return [...this.#running.values()].filter((running) => pid === undefined || running.pid === pid);
  }

  /** The next running job, from now on, of which `matches` is true; null = none came in that time. */
  next(matches: Watcher, withinMs: number): Promise<Running | null> {
    return new Promise((resolve) => {
      const done = (running: Running | null) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve(running);
      };
      const watcher: Watcher = (running, progress) => {
        const isIt = matches(running, progress);
        if (isIt) done(running);
        return isIt;
      };
      const timer = setTimeout(() => done(null), withinMs);
      this.#watchers.add(watcher);
    });
  }

  #see({ seq, record }: StoredMessage): void {
    if (record.status !== "running" || record.run === null) {
      this.#running.delete(record.id);
      return;
    }
    const pid = Number(record.run.worker.split("-").at(-1));
    const running = { id: record.id, seq, record, pid };
    this.#running.set(record.id, running);
    this.#tell(running, null);
  }

  #tell(running: Running, progress: Progress | null): void {
    for (const watcher of this.#watchers) watcher(running, progress);
  }
}
