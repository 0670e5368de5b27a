import { BusError, type PutOnce, type Stored } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { decide, isDeadLetter, isLive, userHash } from "@longhaul/job";
import type { Operation } from "@longhaul/store";

export type RedrivePorts = {
  /** Leader read of a job's record. */
  newest(id: string): Promise<Stored | null>;
  put: PutOnce;
  /** Puts the work item of the record's generation. */
  enqueue(record: JobRecord, seq: number, traceparent: string): Promise<unknown>;
  now(): number;
};

export type RedrivePolicy = { maxAttempts: number; deadlineSeconds: number; putDeadlineMs: number };

/**
 * Retries one job for an operation, if it still is a dead letter, and was one when the operation was asked for: what
 * failed again since is not tried twice.
 * @throws BusError `TIMEOUT` when nobody knows whether it was written; to do it again is harmless
 */
export async function redrive(
  ports: RedrivePorts,
  policy: RedrivePolicy,
  operation: Operation,
  id: string,
): Promise<"done" | "skipped"> {
  const stored = await ports.newest(id);
  if (stored === null || !isLive(stored.record)) return "skipped";
  const { record } = stored;
  const failedAt = new Date(record.updatedAt);
  if (!isDeadLetter(record, policy.maxAttempts) || failedAt > operation.createdAt) return "skipped";
  const rules = { ...policy, userHash: userHash(record.tenant, record.user), archived: false };
  const decision = decide(
    record,
    { type: "retry", actor: operation.actor, lane: "bulk" },
    new Date(ports.now()),
    rules,
  );
  if (decision.kind !== "change") return "skipped";
  const { traceparent } = operation;
  const result = await ports.put(id, stored.seq, decision.change, {
    deadlineMs: policy.putDeadlineMs,
    traceparent,
    source: "/longhaul/notifier",
  });
  // Somebody else was first: it is no dead letter any more.
  if (result.kind === "conflict") return "skipped";
  if (result.kind !== "done") throw new BusError("TIMEOUT", `Nobody knows whether job ${id} was retried.`);
  // An item that cannot be put is made by the sweep.
  if (isLive(result.record) && result.record.status === "queued") {
    await ports.enqueue(result.record, result.seq, traceparent).catch(() => undefined);
  }
  return "done";
}
