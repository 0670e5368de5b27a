import { METRICS } from "@longhaul/contracts";
import type { Stack } from "../../deploy/local/src/stack/start-stack.ts";

/** What a processor says of itself. */
export type ProcessorUsage = {
  /** CPU since it started, microseconds. */
  cpuMicros: number;
  rssMib: number;
  /** Runs that ended with the job completed. */
  completed: number;
};

const TIMEOUT_MS = 10_000;
const MIB = 1024 ** 2;

export async function processorUsage(stack: Stack): Promise<ProcessorUsage> {
  const port = processorOf(stack).ports.metrics;
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await answer.text();
  return {
    cpuMicros: 1e6 * readSeries(text, "process_cpu_seconds_total"),
    rssMib: readSeries(text, "process_resident_memory_bytes") / MIB,
    completed: readSeries(text, `${METRICS.processing}_count`, 'outcome="completed"'),
  };
}

export function processorOf(stack: Stack) {
  const processor = stack.run().processes.find((process) => process.name === "processor");
  if (!processor) throw new Error("the processor is gone; its log tells why");
  return processor;
}

/** Value of the first series of this name (with this label); 0 when it is not there yet. */
function readSeries(text: string, name: string, label = ""): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(name) && candidate.includes(label));
  return Number(line?.slice(line.lastIndexOf(" ")) ?? 0);
}
