import { expect, test } from "vitest";
import { Statistics } from "./kernel/statistics.ts";
import { simulate } from "./simulate.ts";
import { describeViolation } from "./world.ts";

const SEEDS = 1_000;
/** Ends a history that hangs; a machine that is busy with other things may take ten times its usual time. */
const PATIENCE_MS = 900_000;

/** What a test of the protocol must have met to be worth anything. */
const EXPLORED = [
  "kills",
  "terminations",
  "disconnects",
  "items made by the sweep",
  "uploads removed by cleanup",
  "objects removed by cleanup",
  "work_items removed by cleanup",
  "uploads removed by orphans",
  "objects removed by orphans",
  "freezes beyond ack_wait",
  "outages",
  "lost answers",
  "late messages",
  "stale reads",
  "takeovers",
  "runs fenced",
  "runs handedback",
  "runs retrying",
  "runs waiting",
  "store calls refused by a breaker",
  "runs unanswered",
  "jobs given up after crashes",
  "refused writes (WRONG_SEQUENCE)",
  "refused writes (FULL)",
  "commands (cancel): done",
  "commands (pause): done",
  "commands (resume): done",
  "commands (retry): done",
  "commands (erase): done",
  "store calls: put",
  "store calls: complete",
  "store calls: complete failed",
  "ends: completed",
  "ends: expired",
  "commands (retry): RETRY_WINDOW_CLOSED",
  "expiries out of turn: expired",
  "keyed creates: new",
  "keyed creates: replay",
  "keyed creates: IDEMPOTENCY_KEY_REUSED",
  "keyed creates: IDEMPOTENCY_KEY_SPENT",
  "store calls that met what was listed",
  "store calls that met what was made",
  "times the views were away",
  "views forgotten",
  "writes on archived jobs: erased",
  "writes on archived jobs: expired",
  "histories that were quiet",
  "histories that were quiet and long",
  "histories that were wild and long",
];

test(`no promise is broken in ${SEEDS} histories, and they get around`, { timeout: PATIENCE_MS }, async () => {
  const statistics = new Statistics();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = await simulate(seed);
    if (history.violation) expect.fail(`${describeViolation(seed, history.violation)}\nnpm run sim -- --seed ${seed}`);
    statistics.add(history.statistics);
  }
  expect(EXPLORED.filter((what) => statistics.of(what) === 0)).toEqual([]);
});

test("a seed gives the same history again", { timeout: PATIENCE_MS }, async () => {
  for (const seed of [3, 17, 40]) {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect(second.events).toBe(first.events);
    expect(second.hash).toBe(first.hash);
  }
  expect((await simulate(3)).hash).not.toBe((await simulate(4)).hash);
});
