import { randomUUID } from "node:crypto";
import type { JobRecord } from "@longhaul/contracts";
import type { EndingViews, UnfinishedJobs, View } from "@longhaul/store";
import { expect, test } from "vitest";
import { recordIn } from "../../libs/job/src/testing/index.ts";
import { viewOf } from "../../libs/store/src/view.ts";
import type { Bench } from "./bench.ts";

export type JobViewsDriver = {
  upsert(view: View): Promise<void>;
  get(id: string): Promise<View | null>;
  ending: EndingViews;
  unfinished: UnfinishedJobs;
};

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TOMBSTONE_SECONDS = 9 * 86_400;
/** The tests share one collection, and each has a century of its own in it. */
let century = 3_000;

/** What the gateways, the expiry and the sweeps take for granted of the views. */
export function jobViewsConformance(bench: Bench<JobViewsDriver>): void {
  const inBench = (name: string, body: (driver: JobViewsDriver, year: number) => Promise<void>) =>
    test(name, () => {
      century += 100;
      const year = century;
      return bench.run((driver) => body(driver, year));
    });
  const time = (year: number, seconds: number) => new Date(Date.UTC(year, 0, 1) + seconds * 1000);
  const viewAt = (status: JobRecord["status"], seq: number, changes: Partial<JobRecord> = {}) =>
    viewOf(recordIn(status, { id: randomUUID(), ...changes }), seq, TRACE_ID, TOMBSTONE_SECONDS);
  const tombstone = (id: string, seq: number): View => ({ _id: id, seq, erased: true, until: time(9_000, 0) });
  /** Stores views of new jobs; gives their ids. */
  async function store(driver: JobViewsDriver, views: View[]): Promise<string[]> {
    for (const view of views) await driver.upsert(view);
    return views.map(({ _id }) => _id);
  }

  inBench("nothing is there of a job that no write has reached", async ({ get }) => {
    expect(await get(randomUUID())).toBeNull();
  });

  inBench("the highest sequence stays, in whatever order the writes come, and often", async (driver) => {
    const id = randomUUID();
    for (const seq of [2, 5, 3, 5, 1]) await driver.upsert(viewAt(seq === 5 ? "running" : "queued", seq, { id }));
    expect(await driver.get(id)).toMatchObject({ seq: 5, status: "running" });
  });

  inBench("a late write does not bring back what was deleted, and a later one begins anew", async (driver) => {
    const id = randomUUID();
    await store(driver, [viewAt("completed", 3, { id }), tombstone(id, 7), viewAt("completed", 6, { id })]);
    expect(await driver.get(id)).toMatchObject({ seq: 7, erased: true });
    await driver.upsert(viewAt("queued", 9, { id }));
    expect(await driver.get(id)).toMatchObject({ seq: 9, status: "queued" });
  });

  inBench("a tombstone is left only of what is still as it was found", async (driver) => {
    const [still, gone] = [randomUUID(), randomUUID()];
    await store(driver, [viewAt("failed", 3, { id: still }), viewAt("failed", 4, { id: gone })]);
    await driver.upsert(viewAt("queued", 8, { id: gone }));
    const found = [
      { id: still, seq: 3 },
      { id: gone, seq: 4 },
      { id: randomUUID(), seq: 5 },
    ];
    await driver.ending.bury(found, time(9_000, 0));
    expect(await driver.get(still)).toEqual(tombstone(still, 3));
    expect(await driver.get(gone)).toMatchObject({ seq: 8, status: "queued" });
    expect(await driver.get(found[2]?.id ?? "")).toBeNull();
    await driver.ending.bury([{ id: still, seq: 3 }], time(9_100, 0));
    expect(await driver.get(still)).toMatchObject({ seq: 3, erased: true });
  });

  inBench(
    "jobs are due from their time on, the longest overdue first, each once in all pages",
    async (driver, year) => {
      // Before whatever another test has stored, so that nothing else is due.
      const dueIn = (seconds: number) => viewAt("queued", 1, { deadlineAt: time(year - 2_900, seconds).toISOString() });
      const seconds = [30, 10, 20, 20, 20, 40];
      const ids = await store(driver, seconds.map(dueIn));
      const met: string[] = [];
      let after = null;
      do {
        const page = await driver.ending.due(time(year - 2_900, 30), 2, after);
        met.push(...page.ids);
        after = page.next;
      } while (after !== null && met.length < 20);
      const mine = met.filter((id) => ids.includes(id));
      expect(mine).toHaveLength(5);
      expect(mine[0]).toBe(ids[1]);
      expect(new Set(mine.slice(1, 4))).toEqual(new Set(ids.slice(2, 5)));
      expect(mine[4]).toBe(ids[0]);
    },
  );

  inBench("ends are found when their last write is so old, the oldest first", async (driver, year) => {
    const failedAt = (seconds: number) => viewAt("failed", 1, { updatedAt: time(year, seconds).toISOString() });
    const ids = await store(driver, [failedAt(20), failedAt(10), failedAt(30)]);
    const mine = async (seconds: number, limit: number) =>
      (await driver.ending.writtenUntil("failed", time(year, seconds), limit)).filter(({ id }) => ids.includes(id));
    expect(await mine(20, 1_000)).toEqual([ids[1], ids[0]].map((id) => ({ id, seq: 1 })));
    expect(await mine(19, 1_000)).toEqual([{ id: ids[1], seq: 1 }]);
    expect(await driver.ending.writtenUntil("cancelled", time(year - 2_000, 0), 10)).toEqual([]);
  });

  inBench(
    "unfinished jobs are those written from then on and before that, the longest unchanged first",
    async (driver, year) => {
      const writtenAt = (seconds: number) => viewAt("running", 1, { updatedAt: time(year, seconds).toISOString() });
      const ids = await store(driver, [writtenAt(20), writtenAt(10), writtenAt(30)]);
      const page = { status: "running" as const, limit: 2, from: time(year, 10), until: time(year, 30) };
      expect(await driver.unfinished.page(page)).toEqual([
        { id: ids[1], updatedAt: time(year, 10) },
        { id: ids[0], updatedAt: time(year, 20) },
      ]);
      expect(await driver.unfinished.page({ ...page, from: time(year, 11) })).toHaveLength(1);
      expect(await driver.unfinished.page({ ...page, status: "queued" })).toEqual([]);
    },
  );
}
