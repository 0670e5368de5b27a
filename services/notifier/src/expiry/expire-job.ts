import type { PutOnce, Stored } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { decide, isLive, isUnfinished, lifetimeSeconds, type RetentionPolicy, userHash } from "@longhaul/job";
import type { View } from "@longhaul/store";

/** What the end of a job's time needs of the world. */
export type ExpiryPorts = {
  /** Leader read of the job's record. */
  newest(id: string): Promise<Stored | null>;
  view(id: string): Promise<View | null>;
  put: PutOnce;
  now(): number;
  /** Uniform in 0..1. */
  unit(): number;
};

export type ExpiryPolicy = RetentionPolicy & { jobDeadlineSeconds: number; busTimeoutMs: number };

/** `not-due`: meanwhile it came to another end, was retried, deleted, or expired by somebody else. */
export type ExpiryOutcome = "expired" | "not-due" | "unsettled" | "lost";

/** Other writers may be first this often before the job is left to the next round. */
const MAX_CONFLICTS = 5;
const ACTOR = "expiry";

/**
 * Gives a job, that a view showed as due, the command `expire`. A job that has left `JOBS` is written from its view's
 * copy; an unfinished one that is not in `JOBS` was lost there, and is nothing to decide on: only a recovery writes it.
 * @throws BusError, StoreError when the job cannot be read
 */
export async function expireJob(id: string, ports: ExpiryPorts, policy: ExpiryPolicy): Promise<ExpiryOutcome> {
  let job = await load(id, ports);
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    if (job === null) return "not-due";
    if (job.archived && isUnfinished(job.record.status)) return "lost";
    const { record, expectedSeq, archived } = job;
    const rules = {
      deadlineSeconds: policy.jobDeadlineSeconds,
      userHash: userHash(record.tenant, record.user),
      archived,
    };
    const decision = decide(record, { type: "expire", actor: ACTOR }, new Date(ports.now()), rules);
    if (decision.kind !== "change") return "not-due";
    const result = await ports.put(id, expectedSeq, decision.change, {
      deadlineMs: policy.busTimeoutMs,
      ttlSeconds: lifetimeSeconds(decision.change.record, policy, ports.unit()) ?? undefined,
      traceparent: record.traceparent,
      source: "/longhaul/notifier",
    });
    if (result.kind === "done") return "expired";
    if (result.kind !== "conflict") return "unsettled";
    job = result.current === null ? await load(id, ports) : inJobs(result.current);
  }
  return "unsettled";
}

/** `expectedSeq`: what the write has to name; 0 for a job that has left `JOBS`. */
type Loaded = { record: JobRecord; expectedSeq: number; archived: boolean };

async function load(id: string, ports: ExpiryPorts): Promise<Loaded | null> {
  const stored = await ports.newest(id);
  if (stored !== null) return inJobs(stored);
  const view = await ports.view(id);
  return view === null || "erased" in view ? null : { record: view.record, expectedSeq: 0, archived: true };
}

function inJobs({ seq, record }: Pick<Stored, "seq" | "record">): Loaded | null {
  return isLive(record) ? { record, expectedSeq: seq, archived: false } : null;
}
