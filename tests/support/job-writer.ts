import { randomUUID } from "node:crypto";
import { type Bus, createJobStore, type JobStore } from "@longhaul/bus";
import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import { type Change, claim, completed, decide, newJob, userHash } from "@longhaul/job";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { aRun, newJobInput, POLICY } from "../../libs/job/src/testing/index.ts";

/** A job as its newest write left it. */
export type Written<R extends StoredRecord = JobRecord> = { id: string; seq: number; record: R };

/** Writes jobs as gateways and workers do: each write is the next step of the life of one job. */
export type JobWriter = {
  store: JobStore;
  create(user?: string): Promise<Written>;
  claim(job: Written): Promise<Written>;
  complete(job: Written): Promise<Written>;
  erase(job: Written): Promise<Written<StoredRecord>>;
};

export function jobWriter(bus: Bus): JobWriter {
  const log = createLogger("test", "silent");
  const store = createJobStore(bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 5000 });

  async function write(id: string, seq: number, change: Change): Promise<Written<StoredRecord>> {
    const traceparent = newJobInput().traceparent;
    const done = await store.put(id, seq, change, { deadlineMs: 10_000, traceparent, source: "/longhaul/test" });
    if (done.kind !== "done") throw new Error(`the write of ${id} after ${seq} is ${done.kind}`);
    return { id, seq: done.seq, record: done.record };
  }

  async function advance(id: string, seq: number, change: Change): Promise<Written> {
    const { record, ...where } = await write(id, seq, change);
    if (record.status === "erased") throw new Error(`${id} is erased`);
    return { ...where, record };
  }

  return {
    store,
    create(user = "ada.lovelace") {
      const id = randomUUID();
      const owner = { tenant: "acme", user, tier: "basic" };
      return advance(id, 0, newJob(newJobInput({ id, owner, now: new Date() })));
    },
    claim: ({ id, seq, record }) => advance(id, seq, claim(record, { run: aRun(), key: null, now: new Date() })),
    complete({ id, seq, record }) {
      const now = new Date();
      const expiresAt = new Date(now.getTime() + 86_400_000).toISOString();
      const kept = { filename: "file-70000.zip", sizeBytes: 9, contentType: "application/zip", crc32: null, expiresAt };
      const result = { kind: "borrowed" as const, key: "downloads/70000.zip", partial: false, ...kept };
      const progress = { ...record.progress, filesDone: 1, bytesTotal: 9, bytesDone: 9 };
      const outcomes = { doneThrough: 1, exceptions: [] };
      return advance(id, seq, completed(record, { result, outcomes, progress, usage: record.usage, now }));
    },
    erase({ id, seq, record }) {
      const rules = { ...POLICY, userHash: userHash(record.tenant, record.user), archived: false };
      const decision = decide(record, { type: "erase", actor: "test" }, new Date(), rules);
      if (decision.kind !== "change") throw new Error(`${id} cannot be erased`);
      return write(id, seq, decision.change);
    },
  };
}
