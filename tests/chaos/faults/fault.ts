import type { JobStore } from "@longhaul/bus";
import type { Bucket } from "@longhaul/objects";
import type { Prng } from "../../sim/kernel/prng.ts";
import type { ChaosStack } from "../chaos-stack.ts";
import type { Ledger } from "../ledger.ts";
import type { Observer } from "../observer.ts";
import type { Bereaved } from "../takeovers.ts";

/** What faults befall, and where what they did is written down. */
export type Town = {
  chaos: ChaosStack;
  ledger: Ledger;
  observer: Observer;
  prng: Prng;
  /** The records, by leader read. */
  jobs: Pick<JobStore, "newest">;
  results: Bucket;
  /** Jobs that a process was running when it was killed. */
  bereaved: Bereaved[];
};

export type Fault = {
  name: string;
  /** Strikes, and resolves when it is over. False = what it aims at did not come along. */
  strike(town: Town): Promise<boolean>;
};

/** Sends a signal; false when the process has ended by itself. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
