/**
 * `npm run sim -- --seeds N [--seed S] [--minutes M]`: lives through histories of the simulated world, one for each
 * seed, and stops at the first that breaks a promise. Exit code 0 = none did, 1 = one did, 2 = not a way to call it.
 */
import { parseArgs } from "node:util";
import { aboveZero } from "../support/above-zero.ts";
import { Statistics } from "./kernel/statistics.ts";
import { simulate } from "./simulate.ts";
import { describeViolation } from "./world.ts";

const USAGE = `Usage: npm run sim -- [--seeds N] [--seed S] [--minutes M]
  --seed S     the first seed (default 1); alone: only this history
  --seeds N    so many seeds, one after the other (default 200)
  --minutes M  as many seeds as can be done in this time`;

type Wanted = { first: number; count: number; endAt: number };

function wanted(): Wanted | null {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({ options: { seeds: text, seed: text, minutes: text } });
    const minutes = aboveZero(values.minutes);
    const count = aboveZero(values.seeds) ?? (minutes ? Number.POSITIVE_INFINITY : values.seed ? 1 : 200);
    const endAt = performance.now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;
    return { first: aboveZero(values.seed) ?? 1, count, endAt };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return null;
  }
}

async function main(): Promise<number> {
  const plan = wanted();
  if (!plan) return 2;
  const startedAt = performance.now();
  const statistics = new Statistics();
  let done = 0;
  for (; done < plan.count && performance.now() < plan.endAt; done++) {
    const seed = plan.first + done;
    const history = await simulate(seed);
    statistics.add(history.statistics);
    if (!history.violation) continue;
    console.log(`${describeViolation(seed, history.violation)}\n\nReplay it: npm run sim -- --seed ${seed}`);
    return 1;
  }
  const took = (performance.now() - startedAt) / 1000;
  console.log(
    `${done} histories, seeds ${plan.first}–${plan.first + done - 1}, in ${took.toFixed(1)} s: no promise was broken.`,
  );
  for (const [what, times] of statistics.entries()) console.log(`  ${String(times).padStart(8)}  ${what}`);
  return 0;
}

process.exitCode = await main();
