import { setTimeout as delay } from "node:timers/promises";
import type { Progress } from "@longhaul/contracts";
import { ACK_WAIT_MS } from "../chaos-stack.ts";
import type { Running } from "../observer.ts";
import { type Fault, signal, type Town } from "./fault.ts";

/** A moment in the life of an archive, seen from outside. */
type Phase = {
  name: string;
  begins(running: Running, progress: Progress | null): boolean;
  /** From that moment to the strike. */
  lead?(running: Running, town: Town): Promise<unknown>;
};

const AIM_MS = 8_000;
/** How long a processor's request for work waits at the server, and is answered though the processor stands still. */
const PULL_EXPIRES_MS = 5_000;
const COMPLETE_MS = 2_000;

const PHASES: readonly Phase[] = [
  { name: "in the plan", begins: ({ record }) => uploadOf(record)?.id === null },
  {
    name: "in mid-entry",
    begins: ({ record }) => isUploading(record),
    lead: (_, { prng }) => delay(prng.int(0, 120)),
  },
  {
    name: "between parts",
    begins: ({ record }, progress) =>
      isUploading(record) && progress !== null && progress.bytesDone > (uploadOf(record)?.partSize ?? 0),
  },
  { name: "before Complete", begins: ({ record }) => isSealed(record) },
  {
    name: "after Complete, before the event",
    begins: ({ record }) => isSealed(record),
    lead: objectAppears,
  },
];

const uploadOf = (record: Running["record"]) => record.checkpoint?.upload;
const isSealed = ({ checkpoint }: Running["record"]) => checkpoint !== null && checkpoint.sealed !== null;
const isUploading = (record: Running["record"]) => typeof uploadOf(record)?.id === "string" && !isSealed(record);

async function objectAppears({ record }: Running, { results }: Town): Promise<void> {
  const key = uploadOf(record)?.key ?? "";
  const endAt = performance.now() + COMPLETE_MS;
  while (performance.now() < endAt && (await results.head(key).catch(() => null)) === null);
}

/** SIGKILL of the processor that runs a job, at each phase. */
export const KILLS: readonly Fault[] = PHASES.map((phase) => ({
  name: `SIGKILL of a processor ${phase.name}`,
  async strike(town) {
    const running = await town.observer.next(phase.begins, AIM_MS);
    if (!running) return false;
    await phase.lead?.(running, town);
    return killProcessor(running.pid, town, phase.name);
  },
}));

async function killProcessor(pid: number, town: Town, how: string): Promise<boolean> {
  const { chaos, observer, ledger, bereaved } = town;
  const orphans = observer.running(pid);
  if (!signal(pid, "SIGKILL")) return false;
  const atMs = ledger.now();
  ledger.troubles.push({ with: "another processor", fromMs: atMs, toMs: atMs });
  for (const { id, record } of orphans) {
    ledger.note(id, `fault  SIGKILL ${how} of the processor ${pid} that runs it`);
    bereaved.push({ id, run: record.run?.id ?? "", atMs, how, othersReady: null });
  }
  const ready = await othersReady(pid, chaos);
  for (const job of bereaved) if (job.atMs === atMs) job.othersReady = ready;
  return true;
}

/** How many other processors are up and say that they are ready. One that is frozen says nothing. */
async function othersReady(pid: number, { stack }: Town["chaos"]): Promise<number> {
  const others = stack.processes().filter((one) => one.spec.name === "processor" && (one.pid() ?? pid) !== pid);
  const answers = await Promise.all(others.map(({ spec }) => spec.ready().catch(() => false)));
  return answers.filter(Boolean).length;
}

/** A processor that stands still for longer than it may and then goes on as if nothing had been. */
export const FREEZE: Fault = {
  name: "SIGSTOP of a processor beyond ack_wait, then SIGCONT",
  strike: (town) => freeze(town, ACK_WAIT_MS * (1.2 + town.prng.unit())),
};

const LONG_FREEZE_MS = 60_000;

/** So long that all its jobs have ended elsewhere, and its connections were given up. */
export const LONG_FREEZE: Fault = {
  name: "SIGSTOP of a processor for 60 s, then SIGCONT",
  strike: (town) => freeze(town, LONG_FREEZE_MS),
};

async function freeze({ observer, ledger }: Town, ms: number): Promise<boolean> {
  const running = await observer.next(({ record }) => isUploading(record), AIM_MS);
  if (!running || !signal(running.pid, "SIGSTOP")) return false;
  // What is handed to it while nobody knows that it stands still waits for ack_wait once more.
  ledger.trouble("another processor", Math.min(ms, PULL_EXPIRES_MS + ACK_WAIT_MS));
  for (const { id } of observer.running(running.pid)) ledger.note(id, `fault  SIGSTOP of ${running.pid}`);
  await delay(ms);
  for (const { id } of observer.running(running.pid)) ledger.note(id, `fault  SIGCONT of ${running.pid}`);
  return signal(running.pid, "SIGCONT");
}

/** A rolling restart: one processor after the other, and perhaps once more before they have settled. */
export const ROLLING_RESTART: Fault = {
  name: "SIGTERM of every processor, one after the other, one to three times",
  async strike({ chaos, observer, ledger, prng }) {
    const rounds = prng.int(1, 3);
    for (let round = 0; round < rounds; round++) {
      for (const pid of chaos.pids("processor")) {
        for (const { id } of observer.running(pid)) ledger.note(id, `fault  SIGTERM of ${pid}`);
        ledger.trouble("another processor", ACK_WAIT_MS);
        signal(pid, "SIGTERM");
        await delay(prng.int(200, 1_000));
      }
    }
    return true;
  },
};
