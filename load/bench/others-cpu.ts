import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

const SAMPLE_MS = 500;

/** How much of the machine's CPU is in use while nothing of ours is measured: percent of all cores, over half a second. */
export async function othersCpuPercent(): Promise<number> {
  const before = total();
  await delay(SAMPLE_MS);
  const after = total();
  const all = after.all - before.all;
  return all === 0 ? 0 : Math.round((100 * (all - (after.idle - before.idle))) / all);
}

function total(): { idle: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, all };
}
