import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What a helper says about the work that it was told to do. */
export type HelperReport = { tookMs: number; cpuMicros: number; rssMib: number };

/** A process that does one kind of work when it is told so, and measures itself. */
export class HelperProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a script and waits until it says that it is ready. */
  static async start(script: URL, args: readonly string[]): Promise<HelperProcess> {
    const helper = new HelperProcess(fork(script, args, { stdio: "inherit" }));
    await helper.#next();
    return helper;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the helper process is gone");
    return this.#child.pid;
  }

  tell(order: object): void {
    this.#child.send(order);
  }

  async report(): Promise<HelperReport> {
    return (await this.#next()) as HelperReport;
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  async #next(): Promise<unknown> {
    const over = new AbortController();
    const ended = once(this.#child, "exit", { signal: over.signal }).then(() => {
      throw new Error("a helper process of the bench ended by itself");
    });
    try {
      const [message] = await Promise.race([once(this.#child, "message", { signal: over.signal }), ended]);
      return message;
    } finally {
      over.abort();
      ended.catch(() => {});
    }
  }
}

/** In the helper: does what it is told, one order after the other, and reports on each. */
export function serveOrders<Order>(work: (order: Order) => Promise<void>): void {
  const MIB = 1024 ** 2;
  process.on("message", async (order: Order) => {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    await work(order);
    const { user, system } = process.cpuUsage(before);
    const report: HelperReport = {
      tookMs: performance.now() - startedAt,
      cpuMicros: user + system,
      rssMib: process.memoryUsage.rss() / MIB,
    };
    process.send?.(report);
  });
  process.send?.("ready");
}
