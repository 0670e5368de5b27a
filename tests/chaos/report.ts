import type { ChaosRun } from "./run-chaos.ts";

const BROKEN_SHOWN = 5;

/** What happened, for people: what was promised, what struck, how long it took to recover, and what is wrong. */
export function report(seed: number, run: ChaosRun): string[] {
  const { ledger, found, faults, restMs, broken } = run;
  const statuses = countBy([...found.records.values()].map(({ record }) => record.status));
  const answers = countBy([...ledger.answered.values()].flat().map(({ command }) => command));
  const lines = [
    "",
    `Chaos with seed ${seed}`,
    `  promised   ${ledger.accepted.size} jobs (202) · ${listed(answers) || "no commands"} answered with success`,
    `             beside them ${ledger.refusedCreates} creates refused, ${ledger.unknownCreates} without a sure answer`,
    `  at rest    ${listed(statuses)}, ${(restMs / 1000).toFixed(1)} s after the last fault`,
    `  recovery   ${recovery(run)}`,
    `  breakers   ${ledger.waits} times a job waited for the store to come back, without using up a try`,
    "  faults     struck, and (missed) where nothing came along to aim at",
    ...[...faults].map(
      ([name, { struck, missed }]) => `  ${String(struck).padStart(9)}  ${name}${missed ? ` (${missed})` : ""}`,
    ),
  ];
  if (broken.length === 0) return [...lines, "", "Nothing was lost, doubled, stuck or leaked."];
  return [...lines, "", ...told(seed, run)];
}

/** From a SIGKILL to the moment when each job that the process was running is run again, and to its end. */
function recovery({ bereaved, ledger }: ChaosRun): string {
  const sinceKill = (times: (id: string) => number[]) =>
    bereaved.flatMap(({ id, atMs }) => {
      const after = times(id).filter((time) => time > atMs);
      return after.length > 0 ? Math.min(...after) - atMs : [];
    });
  const ends = sinceKill((id) => [...(ledger.ends.get(id)?.values() ?? [])].flat().map((end) => end.atMs));
  if (ends.length === 0) return "no job lost its processor";
  const starts = sinceKill((id) => ledger.starts.get(id) ?? []);
  return `${ends.length} jobs lost their processor; from the kill to the next run ${spread(starts)}, to the end ${spread(ends)}`;
}

function spread(times: number[]): string {
  const inOrder = times.toSorted((a, b) => a - b);
  const seconds = (ms = 0) => `${(ms / 1000).toFixed(1)} s`;
  return `p50 ${seconds(inOrder[Math.floor(inOrder.length / 2)])}, max ${seconds(inOrder.at(-1))}`;
}

function told(seed: number, { broken, ledger, dataDir }: ChaosRun): string[] {
  const shown = broken
    .slice(0, BROKEN_SHOWN)
    .flatMap(({ job, what }) => [
      `  ${job ? `job ${job}: ` : ""}${what}`,
      ...(job ? ledger.story(job).map((line) => `      ${line}`) : []),
    ]);
  const more = broken.length > BROKEN_SHOWN ? [`  … and ${broken.length - BROKEN_SHOWN} more`] : [];
  return [
    `BROKEN: ${broken.length} promises, with seed ${seed}`,
    ...shown,
    ...more,
    `Logs and data are kept: ${dataDir}`,
    `Again: npm run chaos -- --seed ${seed}`,
  ];
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const listed = (counts: ReadonlyMap<string, number>) =>
  [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
