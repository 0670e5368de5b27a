import { join } from "node:path";
import type { SupervisedProcess, Supervision } from "../supervisor/supervised-process.ts";
import { startWatchdog } from "../supervisor/watchdog.ts";
import { type RunFile, writeRunFile } from "./run-file.ts";
import { STOP_ORDER } from "./services.ts";

export type Addresses = Pick<RunFile, "nats" | "mongodb" | "s3">;

const ORDER: readonly string[] = ["nats", "mongodb", "s3", "gateway", "processor", "notifier"];

/** Always the same order, whichever process was up first: the first gateway is the one on the stack's port. */
function inOrder(a: RunFile["processes"][number], b: RunFile["processes"][number]): number {
  return ORDER.indexOf(a.name) - ORDER.indexOf(b.name) || a.log.localeCompare(b.log, "en", { numeric: true });
}

/** The processes of a stack, and run.json, which follows them. */
export class RunningStack {
  readonly baseUrl: string;
  readonly logDir: string;
  /** One line for each server: which was taken, and from where. */
  taken: readonly string[] = [];
  readonly #dataDir: string;
  readonly #giveBack: () => Promise<void>;
  readonly #watchdog = startWatchdog();
  readonly #processes: SupervisedProcess[] = [];
  #say: (line: string) => void = () => {};
  #addresses: Addresses | null = null;
  #writing: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  /** `giveBack` releases the data folder once nothing runs on it any more. */
  constructor(dataDir: string, baseUrl: string, giveBack: () => Promise<void>) {
    this.#dataDir = dataDir;
    this.#giveBack = giveBack;
    this.baseUrl = baseUrl;
    this.logDir = join(dataDir, "logs");
  }

  supervision(say: (line: string) => void): Supervision {
    this.#say = say;
    return { watchdog: this.#watchdog, say, onChange: () => this.#changed() };
  }

  add(...processes: SupervisedProcess[]): void {
    this.#processes.push(...processes);
    this.#changed();
  }

  describe(addresses: Addresses): void {
    this.#addresses = addresses;
    this.#changed();
  }

  processes(): readonly SupervisedProcess[] {
    return this.#processes;
  }

  /** What run.json says now. */
  run(): RunFile {
    if (!this.#addresses) {
      throw new Error("the stack has no addresses before its servers are up");
    }
    return {
      version: 1,
      pid: process.pid,
      dataDir: this.#dataDir,
      baseUrl: this.baseUrl,
      processes: this.#processes
        .flatMap(({ spec, pid }) => {
          const running = pid();
          return running === null ? [] : [{ name: spec.name, pid: running, ports: spec.ports, log: spec.logFile }];
        })
        .sort(inOrder),
      ...this.#addresses,
    };
  }

  /** Resolves when run.json says what is so now. */
  written(): Promise<void> {
    return this.#writing;
  }

  /** Services in order, then servers; each gets its grace. Nothing of the stack runs afterwards. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Ends everything at once. */
  kill(): void {
    for (const process of this.#processes) {
      process.kill();
    }
  }

  async #stop(): Promise<void> {
    for (const name of STOP_ORDER) {
      await this.#stopAll((process) => process.spec.name === name);
    }
    await this.#stopAll((process) => process.spec.kind === "server");
    this.#watchdog.dismiss();
    await this.#writing;
    await this.#giveBack();
  }

  async #stopAll(which: (process: SupervisedProcess) => boolean): Promise<void> {
    await Promise.all(this.#processes.filter(which).map((process) => process.stop()));
  }

  /** One write after the other, so that the newest state is the last one written. */
  #changed(): void {
    if (this.#addresses && !this.#stopped) {
      this.#writing = this.#writing.then(() => writeRunFile(this.run())).catch((error) => this.#cannotWrite(error));
    }
  }

  /** A full disk must not end the supervisor: what runs goes on, and the next change tries again. */
  #cannotWrite(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#say(`run.json cannot be written (${reason}); other commands may see an older state`);
  }
}
