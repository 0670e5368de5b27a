/** What one round of one subject came to. */
export type Measurement = {
  /** Units of work per second. */
  rate: number;
  /** CPU of the measured process alone, microseconds per unit; null where it was not measured. */
  cpuMicros: number | null;
  /** Most resident memory of the measured process, MiB. */
  rssMib: number | null;
};

/** Something whose rate is measured, side by side with a reference that does the same work in another way. */
export type Subject = {
  name: string;
  /** Another subject's name: the ratio is to this one. Left out for the reference itself. */
  against?: string;
  /** "jobs/s", "MB/s" */
  unit: string;
  /** Makes everything ready, once. Resolves to why the subject cannot be measured on this machine, or to null. */
  prepare(): Promise<string | null>;
  /** One round; nothing else is measured meanwhile. */
  measure(): Promise<Measurement>;
  close(): Promise<void>;
};

export type Round = { subject: string; othersCpuPercent: number; measurement: Measurement };

/** A bench: subjects that are measured in turn, and what they run on. */
export type Bench = {
  name: string;
  rounds: number;
  /** Starts what the subjects share, and gives them; `say` tells people what is going on. */
  open(
    say: (line: string) => void,
  ): Promise<{ subjects: Subject[]; servers: readonly string[]; close(): Promise<void> }>;
};

export function median(values: readonly number[]): number {
  const inOrder = values.toSorted((a, b) => a - b);
  const middle = Math.floor(inOrder.length / 2);
  const upper = inOrder[middle] ?? Number.NaN;
  return inOrder.length % 2 === 1 ? upper : ((inOrder[middle - 1] ?? Number.NaN) + upper) / 2;
}
