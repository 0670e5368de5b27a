import { type Measurement, median, type Round, type Subject } from "./measurement.ts";

/** One line of the table: medians over the rounds, and the least and the most of the rate. */
export type Line = {
  subject: string;
  unit: string;
  rate: number;
  least: number;
  most: number;
  cpuMicros: number | null;
  rssMib: number | null;
  against: string | null;
  /** Median of the ratios of the rounds, each to the reference of the same round; null without a reference. */
  ratio: number | null;
};

export function summarize(subjects: readonly Subject[], rounds: readonly Round[]): Line[] {
  const of = (name: string) => rounds.filter((round) => round.subject === name).map((round) => round.measurement);
  return subjects.map(({ name, unit, against }) => {
    const own = of(name);
    const rates = own.map((measurement) => measurement.rate);
    const references = against === undefined ? [] : of(against);
    const ratios = references.map((reference, round) => (rates[round] ?? Number.NaN) / reference.rate);
    return {
      subject: name,
      unit,
      rate: median(rates),
      least: Math.min(...rates),
      most: Math.max(...rates),
      cpuMicros: medianOf(own, (measurement) => measurement.cpuMicros),
      rssMib: medianOf(own, (measurement) => measurement.rssMib),
      against: ratios.length > 0 ? (against ?? null) : null,
      ratio: ratios.length > 0 ? median(ratios) : null,
    };
  });
}

export function table(lines: readonly Line[]): string[] {
  const head = ["subject", "median", "least … most", "CPU µs each", "RSS MiB", "ratio"];
  const rows = lines.map((line) => [
    line.subject,
    `${figure(line.rate)} ${line.unit}`,
    `${figure(line.least)} … ${figure(line.most)}`,
    line.cpuMicros === null ? "–" : figure(line.cpuMicros),
    line.rssMib === null ? "–" : figure(line.rssMib),
    line.ratio === null ? "–" : `${line.ratio.toFixed(2)} × ${line.against}`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

const figure = (value: number) => (value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));

function medianOf(all: Measurement[], pick: (measurement: Measurement) => number | null): number | null {
  const values = all.map(pick).filter((value) => value !== null);
  return values.length > 0 ? median(values) : null;
}
