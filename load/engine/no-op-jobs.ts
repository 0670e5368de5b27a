import { setTimeout as delay } from "node:timers/promises";
import type { Measurement, Subject } from "../bench/measurement.ts";
import { inFlight } from "./in-flight.ts";
import type { Shared } from "./jobs.ts";
import { processorOf, processorUsage } from "./processor-usage.ts";
import { BULLMQ, NO_OP, NO_OP_JOBS } from "./workload.ts";

const LOOK_EVERY_MS = 25;
const GIVE_UP_AFTER_MS = 120_000;

/** Jobs that move no byte: claimed, ended and acknowledged by one processor, durable and fenced. */
export function noOpSubject({ stack, jobs }: Shared): Subject {
  const create = () => jobs.create([...NO_OP.fileIds], NO_OP.spec);
  /** The processor stands still while the queue is filled, so that only its own work is measured. */
  async function round(count: number): Promise<Measurement> {
    const { pid } = processorOf(stack);
    const before = await processorUsage(stack);
    process.kill(pid, "SIGSTOP");
    try {
      await inFlight(count, create);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const startedAt = performance.now();
    for (;;) {
      await delay(LOOK_EVERY_MS);
      // The processor is asked only when nothing waits any more: its answers cost CPU that is none of the jobs'.
      const done = (await jobs.waiting()) === 0 ? await processorUsage(stack) : null;
      const tookMs = performance.now() - startedAt;
      if (done !== null && done.completed - before.completed >= count) {
        return {
          rate: (1000 * count) / tookMs,
          cpuMicros: (done.cpuMicros - before.cpuMicros) / count,
          rssMib: done.rssMib,
        };
      }
      if (tookMs > GIVE_UP_AFTER_MS) throw new Error(`${count} no-op jobs were not done in ${tookMs / 1000} s`);
    }
  }
  return {
    name: "no-op jobs",
    against: BULLMQ,
    unit: "jobs/s",
    async prepare() {
      await round(NO_OP_JOBS / 10);
      return null;
    },
    measure: () => round(NO_OP_JOBS),
    async close() {},
  };
}
