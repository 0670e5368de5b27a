import { randomUUID } from "node:crypto";
import type { JobRecord, PayloadRef } from "@longhaul/contracts";
import { checkpointed, claim, ownPrefixes } from "@longhaul/job";
import type { Objects } from "@longhaul/objects";
import { createLogger, systemClock } from "@longhaul/runtime";
import { connectStore, type Store } from "@longhaul/store";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { aRun, newJobInput, specOf } from "../../../../libs/job/src/testing/index.ts";
import { openObjects } from "../../../../tests/support/objects.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../../tests/support/own-s3.ts";
import { startWorkerBench, type WorkerBench } from "../../../../tests/support/worker-bench.ts";
import { bucketOf, viewsOf } from "../start-housekeeping.ts";
import { type CleanupDeps, cleanup } from "./cleanup.ts";
import { OrphanSweep } from "./orphans.ts";

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const PUT = { deadlineMs: 10_000, traceparent: newJobInput().traceparent, source: "/longhaul/test" };

type PayloadName = "spec" | "plan" | "outcomes" | "parts" | "seal" | "unnamed";
type Job = { id: string; refs: Record<PayloadName, PayloadRef> };

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(`on ${implementation}`, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let s3: OwnS3;
    let objects: Objects;
    let bench: WorkerBench;
    let store: Store;
    let deps: CleanupDeps;

    beforeAll(async () => {
      if (!server) return;
      s3 = await startS3(server);
      objects = openObjects(s3);
      bench = await startWorkerBench();
      const mongodb = { mongodbUrl: inject("mongodbUrl"), mongodbTimeoutMs: 10_000, mongodbMaxPoolSize: 2 };
      store = connectStore(
        { ...mongodb, mongodbViewsDatabase: "housekeeping_payloads" },
        createLogger("test", "silent"),
      );
      deps = {
        jobs: bench.jobs,
        views: viewsOf(store),
        items: { put: (record) => bench.queue.enqueue(record, null), removeAll: bench.queue.removeItems },
        bucket: bucketOf(objects.results),
        tally: { removed: () => {}, requeued: () => {} },
      };
    });
    afterAll(async () => {
      await store?.close();
      await bench?.remove();
      objects?.close();
      await s3?.remove();
    });

    /** A running job that names a payload wherever it can, and one that it does not name. */
    async function runningJob(): Promise<Job> {
      const id = randomUUID();
      const owner = { tenant: "acme", id };
      const names = ["spec", "plan", "outcomes", "parts", "seal", "unnamed"] as const;
      const put = async (name: PayloadName) => [name, await objects.payloads.put(owner, [name])] as const;
      const refs = Object.fromEntries(await Promise.all(names.map(put))) as Job["refs"];
      await bench.create({ id, itemless: true, spec: { ...specOf(), fileIds: null, ref: refs.spec, filesTotal: 2 } });
      const key = `${ownPrefixes(owner)[0]}${randomUUID()}`;
      await write(id, (record) => claim(record, { run: aRun(), key, now: new Date() }));
      await write(id, (record) =>
        checkpointed(record, {
          plan: { entries: null, ref: refs.plan, filesMissing: 1, bytesTotal: 1 },
          outcomes: { doneThrough: 1, exceptions: { ref: refs.outcomes } },
          checkpoint: {
            upload: { key, id: "upload", partSize: 1 },
            parts: { ref: refs.parts },
            cursor: { entry: 1, offset: 0, crc: "00000000" },
            sealed: { sizeBytes: 1, crc32: "00000000", parts: { ref: refs.seal } },
          },
          progress: record.progress,
          now: new Date(),
        }),
      );
      return { id, refs };
    }

    async function write(id: string, change: (record: JobRecord) => ReturnType<typeof claim>): Promise<void> {
      const stored = await bench.jobs.newest(id);
      if (!stored || stored.record.status === "erased") throw new Error(`there is no job ${id}`);
      expect(await bench.jobs.put(id, stored.seq, change(stored.record), PUT)).toMatchObject({ kind: "done" });
    }

    /** The payloads that can still be read. */
    async function left({ refs }: Job): Promise<string[]> {
      const read = async ([name, ref]: [string, PayloadRef]) =>
        (await objects.payloads.get(ref).catch(() => null)) === null ? [] : [name];
      return (await Promise.all(Object.entries(refs).map(read))).flat();
    }

    const tidy = async ({ id }: Job) => cleanup((await bench.jobs.newest(id))!.record, deps, signal);
    const sweep = () => {
      const clock = { ...systemClock, now: () => Date.now() + 2 * HOUR_MS };
      return new OrphanSweep({ ...deps, clock, log: createLogger("test", "silent"), ageSeconds: 3600 }).round(signal);
    };

    test("a job that is not over keeps every payload that it names, and no other", async () => {
      const [running, paused] = [await runningJob(), await runningJob()];
      await bench.command(paused.id, "pause");
      await tidy(running);
      await tidy(paused);
      await sweep();
      for (const job of [running, paused])
        expect(await left(job)).toEqual(["spec", "plan", "outcomes", "parts", "seal"]);
    });

    test("a job that is over keeps what was asked for and what came of it, until it is deleted", async () => {
      const job = await runningJob();
      await bench.command(job.id, "cancel");
      await tidy(job);
      expect(await left(job)).toEqual(["spec", "plan", "outcomes"]);
      await bench.command(job.id, "erase");
      await tidy(job);
      expect(await left(job)).toEqual([]);
    });

    test("a retry keeps the list of files and the plan", async () => {
      const job = await runningJob();
      await bench.command(job.id, "cancel");
      await bench.command(job.id, "retry");
      await tidy(job);
      expect((await left(job)).length).toBe(6);
      await sweep();
      expect(await left(job)).toEqual(["spec", "plan"]);
    });

    test("a list that was put for a job that was never made is swept", async () => {
      const ref = await objects.payloads.put({ tenant: "acme", id: randomUUID() }, [1]);
      await sweep();
      await expect(objects.payloads.get(ref)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });
}
