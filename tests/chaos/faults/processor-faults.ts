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

function killProcessor(pid: number, { observer, ledger, bereaved }: Town, how: string): boolean {
  const orphans = observer.running(pid);
  if (!signal(pid, "SIGKILL")) return false;
  for (const { id } of orphans) {
    ledger.note(id, `fault  SIGKILL ${how} of the processor ${pid} that runs it`);
    bereaved.push({ id, atMs: ledger.now(), how });
  }
  return true;
}

/** A processor that stands still for longer than it may and then goes on as if nothing had been. */
export const FREEZE: Fault = {
  name: "SIGSTOP of a processor beyond ack_wait, then SIGCONT",
  async strike({ observer, ledger, prng }) {
    const running = await observer.next(({ record }) => isUploading(record), AIM_MS);
    if (!running || !signal(running.pid, "SIGSTOP")) return false;
    for (const { id } of observer.running(running.pid)) ledger.note(id, `fault  SIGSTOP of ${running.pid}`);
    await delay(ACK_WAIT_MS * (1.2 + prng.unit()));
    for (const { id } of observer.running(running.pid)) ledger.note(id, `fault  SIGCONT of ${running.pid}`);
    return signal(running.pid, "SIGCONT");
  },
};

/** A rolling restart: one processor after the other. */
export const ROLLING_RESTART: Fault = {
  name: "SIGTERM of every processor, one after the other",
  async strike({ chaos, observer, ledger, prng }) {
    for (const pid of chaos.pids("processor")) {
      for (const { id } of observer.running(pid)) ledger.note(id, `fault  SIGTERM of ${pid}`);
      signal(pid, "SIGTERM");
      await delay(prng.int(200, 1_000));
    }
    return true;
  },
};
