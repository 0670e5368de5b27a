import type { ChaosRun } from "./run-chaos.ts";
import { STORE_OPERATIONS, STORE_TROUBLES } from "./store-proxy.ts";
import { TAKEOVER_BOUND_MS } from "./storm.ts";

const STORIES_SHOWN = 5;

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
    `  at rest    ${listed(statuses)}, ${seconds(restMs)} after the last fault; last of all ${run.last.join(", ") || "nothing"}`,
    ...recovery(run),
    `  sockets    ${run.followed} jobs followed, ${run.reconnects} times cut off and connected again`,
    `  breakers   ${ledger.waits} times a job waited for the store to come back, without using up a try`,
    `  S3         ${run.storePairs} of ${STORE_OPERATIONS.length * STORE_TROUBLES.length} pairs of operation and trouble befell a call`,
    "  faults     struck, and (missed) where nothing came along to aim at",
    ...[...faults].map(
      ([name, { struck, missed }]) => `  ${String(struck).padStart(9)}  ${name}${missed ? ` (${missed})` : ""}`,
    ),
  ];
  if (broken.length === 0) return [...lines, "", "Nothing was lost, doubled, stuck or leaked."];
  return [...lines, "", ...told(seed, run)];
}

/** From a SIGKILL to the write with which the next run of each of the process's jobs begins. */
function recovery({ takeovers }: ChaosRun): string[] {
  const counting = takeovers.filter(({ excuses }) => excuses.length === 0);
  const others = takeovers.filter(({ excuses }) => excuses.length > 0);
  const beyond = others.filter(({ tookMs }) => tookMs > TAKEOVER_BOUND_MS);
  const excuses = countBy(beyond.flatMap((takeover) => takeover.excuses));
  const bound = seconds(TAKEOVER_BOUND_MS);
  return [
    `  takeovers  with nothing else wrong: ${spread(counting.map(({ tookMs }) => tookMs))}; promised within ${bound}`,
    `             with more than that wrong: ${spread(others.map(({ tookMs }) => tookMs))}; ${beyond.length} beyond ${bound}`,
    ...(beyond.length > 0 ? [`             while (one or more) ${listed(excuses)}`] : []),
  ];
}

const seconds = (ms = 0) => `${(ms / 1000).toFixed(1)} s`;

function spread(times: number[]): string {
  if (times.length === 0) return "no job";
  const inOrder = times.toSorted((a, b) => a - b);
  const at = (part: number) => seconds(inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * part))]);
  return `${times.length} jobs, p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
}

function told(seed: number, { broken, ledger, dataDir }: ChaosRun): string[] {
  const shown = broken.flatMap(({ job, what }, i) => [
    `  ${job ? `job ${job}: ` : ""}${what}`,
    ...(job && i < STORIES_SHOWN ? ledger.story(job).map((line) => `      ${line}`) : []),
  ]);
  return [
    `BROKEN: ${broken.length} promises, with seed ${seed}`,
    ...shown,
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
