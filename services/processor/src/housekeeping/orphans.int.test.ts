import { randomUUID } from "node:crypto";
import { systemClock } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type HousekeepingBench,
  keyIn,
  keyOf,
  log,
  signal,
  startHousekeepingBench,
} from "../../../../tests/support/housekeeping-bench.ts";
import { type CleanupDeps, cleanup } from "./cleanup.ts";
import { OrphanSweep } from "./orphans.ts";

let bench: HousekeepingBench;

beforeAll(async () => {
  bench = await startHousekeepingBench();
});
afterAll(() => bench?.close());

const HOUR_MS = 3_600_000;
/** An orphan sweep whose clock is ahead, so that what is there is old enough. */
function orphanSweep(aheadMs = 2 * HOUR_MS, changes: Partial<CleanupDeps> = {}): OrphanSweep {
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  return new OrphanSweep({ ...bench.deps, ...changes, clock, log, ageSeconds: 3600 });
}

test("an upload and an object that came after cleanup had listed are found by the orphan sweep, when they are old", async () => {
  const job = await bench.start(await bench.create());
  await cleanup((await bench.command(job, "cancel")).record, bench.deps, signal);
  await bench.begin(keyOf(job));
  await bench.put(keyIn(job.record));
  const before = await bench.remains(job);
  await orphanSweep(0).round(signal);
  expect(await bench.remains(job)).toEqual(before);
  await orphanSweep().round(signal);
  expect(await bench.remains(job)).toEqual([]);
  expect(bench.done.removed).toContain("upload by orphans");
});

test("the orphan sweep leaves what running, paused and completed jobs name, and keys that are not ours", async () => {
  const strange = [`results/acme/${randomUUID()}`, `results/acme/not-a-job/x`];
  for (const key of strange) await bench.put(key);
  const running = await bench.start(await bench.create());
  await bench.begin(keyOf(running));
  const paused = await bench.command(await bench.start(await bench.create()), "pause");
  await bench.begin(keyOf(paused));
  const started = await bench.start(await bench.create());
  await bench.put(keyOf(started));
  const done = await bench.complete(started, { kind: "owned", key: keyOf(started) });
  const unnamed = keyIn(running.record);
  await bench.put(unnamed);
  const before = (await Promise.all([running, paused, done].map(bench.remains))).flat();

  await orphanSweep().round(signal);

  const after = (await Promise.all([running, paused, done].map(bench.remains))).flat();
  expect(after).toEqual(before.filter((key) => key !== unnamed));
  for (const key of strange) {
    expect(await bench.objects.results.head(key)).not.toBeNull();
    await bench.objects.results.delete(key, { signal });
  }
});

test("of a job that is not in JOBS the view decides; unknown jobs leave nothing; and without views nothing goes", async () => {
  const record = (await bench.start(await bench.create())).record;
  const named = { ...record, id: randomUUID() };
  const key = keyIn(named);
  const archived = { ...named, checkpoint: { ...record.checkpoint!, upload: { key, id: null, partSize: 0 } } };
  const unknown = { ...record, id: randomUUID() };
  await bench.project({ id: named.id, seq: 1, record: archived });
  for (const k of [key, keyIn(named), keyIn(unknown)]) await bench.put(k);

  const away = { ...bench.deps.views, standing: () => Promise.reject(new Error("MongoDB is away")) };
  await orphanSweep(2 * HOUR_MS, { views: away }).round(signal);
  expect([(await bench.remains(named)).length, (await bench.remains(unknown)).length]).toEqual([2, 1]);
  await orphanSweep().round(signal);
  expect([await bench.remains(named), await bench.remains(unknown)]).toEqual([[key], []]);
  await bench.objects.results.delete(key, { signal });
});

/** So many that one round does not look at all of them; of no job, so that they cost nothing. */
const MANY = 10_050;

test("with more uploads and objects than a round looks at, the next one goes on behind them", async () => {
  const job = await bench.start(await bench.create());
  const cancelled = await bench.command(job, "cancel");
  const [upload, key] = [await bench.begin(keyOf(job)), keyIn(job.record)];
  await bench.put(key);
  const since = new Date(0);
  const strangers = Array.from({ length: MANY }, (_, i) => `results/acme/not-a-job/${`${i}`.padStart(5, "0")}`);
  /** What the store lists when all that is before ours: pages of a thousand uploads, and objects in order. */
  const bucket: CleanupDeps["bucket"] = {
    ...bench.deps.bucket,
    async *uploads(folder, { from }) {
      if (folder !== "results/") return;
      const all = [...strangers.map((stranger) => ({ key: stranger, id: stranger })), upload];
      const begin = Number(from?.KeyMarker ?? 0);
      for (let i = begin; i < all.length; i++)
        yield { ...all[i]!, startedAt: since, page: { KeyMarker: `${i - (i % 1000)}` } };
    },
    async *objects(folder, { after = "" }) {
      if (folder !== "results/") return;
      for (const each of [...strangers, key])
        if (each > after || each === key) yield { key: each, lastModified: since };
    },
  };
  const sweep = orphanSweep(2 * HOUR_MS, { bucket });
  await sweep.round(signal);
  expect((await bench.remains(cancelled)).length).toBe(2);
  await sweep.round(signal);
  expect(await bench.remains(cancelled)).toEqual([]);
});

test.each([
  ["uploads, all of one page,", "uploads"],
  ["objects", "objects"],
])("while no job can be read a round ends soon, and the next one comes to other jobs: %s", async (_, listed) => {
  const ids = Array.from({ length: 500 }, () => randomUUID());
  const asked = new Set<string>();
  let now = 0;
  /** A bus that is frozen: each read costs its time-out. */
  const newest = (id: string) => {
    asked.add(id);
    now += 5_000;
    return Promise.reject(new Error("no answer in time"));
  };
  const keysIn = (folder: string) => ids.map((id) => `${folder}acme/${id}/x`).sort();
  const bucket: CleanupDeps["bucket"] = {
    ...bench.deps.bucket,
    async *uploads(folder) {
      if (listed === "uploads")
        for (const key of keysIn(folder)) yield { key, id: key, startedAt: new Date(0), page: {} };
    },
    async *objects(folder, { after = "" }) {
      if (listed === "uploads") return;
      for (const key of keysIn(folder)) if (key > after) yield { key, lastModified: new Date(0) };
    },
  };
  const clock = { ...systemClock, monotonic: () => now };
  const sweep = new OrphanSweep({ ...bench.deps, bucket, jobs: { newest }, clock, log, ageSeconds: 3600 });
  await sweep.round(signal);
  const first = asked.size;
  expect(first).toBeLessThanOrEqual(100);
  for (let round = 0; round < 20; round++) await sweep.round(signal);
  expect(asked.size).toBe(500);
});
