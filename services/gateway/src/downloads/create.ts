import type { PutOnce, Stored } from "@longhaul/bus";
import type { CreateDownload, JobRecord, JobSpec, StoredRecord } from "@longhaul/contracts";
import { bodyHash, isLive, isUnfinished, newJob, safeResultName } from "@longhaul/job";
import type { View } from "@longhaul/store";
import { AWAY_RETRY_SECONDS, ProblemError } from "../problem-error.ts";
import { writeJob } from "./job-write.ts";

/** What create needs of the world. */
export type CreatePorts = {
  /** Leader read of a job's record. */
  newest(id: string): Promise<Stored | null>;
  /** null: no such job, or nobody can tell at the moment. */
  viewIfThere(id: string): Promise<View | null>;
  /** The only writer of job records. */
  put: PutOnce;
  /** Puts the work item without being waited for; a failed send is its own business. */
  sendWork(record: JobRecord, seq: number, traceparent: string): void;
  /** Whether the bus is there; when not, nothing is tried, so that "nothing was stored" is certain. */
  busConnected(): boolean;
  now(): number;
  randomId(): string;
};

export type CreatePolicy = { deadlineSeconds: number; putDeadlineMs: number };

/** Who asks for what. */
export type CreateRequest = {
  body: CreateDownload;
  /** The id that belongs to the request's idempotency key; null = it has none. */
  keyedId: string | null;
  owner: { tenant: string; user: string; tier: string };
  clientIp: string;
  userAgent: string | null;
  createdVia: string;
  traceparent: string;
  traceId: string;
};

/** A job that JetStream has acknowledged; `replayed`: an earlier request with the same key had created it. */
export type Created = { seq: number; record: JobRecord; replayed: boolean };

/**
 * Creates a job: its record is stored and acknowledged when this resolves, and the work item is on its way. With an
 * idempotency key that has its job, the job as it is now.
 * @throws ProblemError `NOT_IMPLEMENTED`, `QUEUE_FULL`, `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_KEY_SPENT`,
 *   `DEPENDENCY_UNAVAILABLE` (with `outcome` when it is not known whether the job was stored)
 * @throws BusError when nobody can tell whether the key has a job; then nothing was stored
 */
export async function createDownload(
  ports: CreatePorts,
  policy: CreatePolicy,
  request: CreateRequest,
): Promise<Created> {
  const spec = specOf(request.body);
  if (!ports.busConnected()) {
    throw new ProblemError(
      "DEPENDENCY_UNAVAILABLE",
      "The message bus is away. Nothing was stored; try again shortly.",
      { retryAfterSeconds: AWAY_RETRY_SECONDS },
    );
  }
  const { body: _, keyedId, ...asked } = request;
  const { traceparent } = request;
  const hash = bodyHash(spec);
  const known = keyedId === null ? null : await jobOfKey(ports, keyedId);
  if (known !== null) return replay(ports, known, hash, traceparent);

  const id = keyedId ?? ports.randomId();
  const now = new Date(ports.now());
  const change = newJob({ ...asked, id, spec, bodyHash: hash, now, deadlineSeconds: policy.deadlineSeconds });
  const result = await writeJob(ports.put, id, 0, change, { deadlineMs: policy.putDeadlineMs, traceparent });
  if (result.kind === "done") {
    if (!isLive(result.record)) throw keySpent();
    ports.sendWork(result.record, result.seq, traceparent);
    return { seq: result.seq, record: result.record, replayed: false };
  }
  if (keyedId === null || result.current === null) {
    throw new ProblemError("INTERNAL_ERROR", "The new job's id is taken; send the request again.");
  }
  return replay(ports, result.current, hash, traceparent);
}

type Known = { seq: number; record: StoredRecord } | "erased";

/** What an idempotency key stands for; null = nothing yet, as far as can be told. */
async function jobOfKey(ports: CreatePorts, id: string): Promise<Known | null> {
  const stored = await ports.newest(id);
  if (stored !== null) return stored;
  const view = await ports.viewIfThere(id);
  if (view === null) return null;
  if ("erased" in view) return "erased";
  if (!isUnfinished(view.status)) return view;
  // Either it was created between the two reads, or it was lost, and then it is not for us to begin it anew.
  const created = await ports.newest(id);
  if (created !== null) return created;
  throw new ProblemError("DEPENDENCY_UNAVAILABLE", "The job of this key cannot be told for sure at the moment.", {
    retryAfterSeconds: AWAY_RETRY_SECONDS,
  });
}

function replay(ports: CreatePorts, known: Known, hash: string, traceparent: string): Created {
  if (known === "erased" || !isLive(known.record)) throw keySpent();
  const { seq, record } = known;
  if (record.bodyHash !== hash) {
    throw new ProblemError(
      "IDEMPOTENCY_KEY_REUSED",
      "This idempotency key belongs to a request with another body; take a new key for a new request.",
    );
  }
  // The first request may have died before it put the item; if it is there, nothing happens.
  if (record.status === "queued") ports.sendWork(record, seq, traceparent);
  return { seq, record, replayed: true };
}

function keySpent(): ProblemError {
  return new ProblemError(
    "IDEMPOTENCY_KEY_SPENT",
    "The job of this idempotency key was deleted; take a new key for a new job.",
  );
}

/** The specification of what was asked for, as far as this version can do it. */
function specOf(body: CreateDownload): JobSpec {
  if (body.archive === "none") {
    throw new ProblemError(
      "NOT_IMPLEMENTED",
      'archive: "none" is not supported by this version yet; leave it out, or send "auto" or "zip".',
    );
  }
  return {
    fileIds: body.fileIds,
    ref: null,
    filesTotal: body.fileIds.length,
    class: body.priority,
    lane: "fast",
    archive: body.archive,
    name: body.name === null ? null : safeResultName(body.name),
    metadata: body.metadata,
    callbackUrl: null,
    expiresInSeconds: body.expiresIn,
    maxFileBytes: null,
    sourceKind: "s3",
  };
}
