/**
 * `npm run chaos -- [--minutes N] [--seed S]`: a stack of its own that is ill-treated for so long, while this process
 * writes down what it is promised and compares it at the end. Exit code 0 = nothing broken, 1 = something is, 2 = not a
 * way to call it.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { aboveZero } from "../support/above-zero.ts";
import { report } from "./report.ts";
import { runChaos } from "./run-chaos.ts";

const USAGE = `Usage: npm run chaos -- [--minutes N] [--seed S]
  --minutes N  how long the faults go on (default 5)
  --seed S     which faults, and when (default: a new one, which is printed)`;

function wanted(): { minutes: number; seed: number } | null {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({ options: { minutes: text, seed: text } });
    return { minutes: aboveZero(values.minutes) ?? 5, seed: aboveZero(values.seed) ?? randomInt(1, 1_000_000) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return null;
  }
}

async function main(): Promise<number> {
  const plan = wanted();
  if (!plan) return 2;
  console.log(`chaos: seed ${plan.seed}, ${plan.minutes} minutes of faults`);
  const run = await runChaos({ ...plan, say: (line) => console.log(`  ${line}`) });
  for (const line of report(plan.seed, run)) console.log(line);
  return run.broken.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`The chaos did not come to its end: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
