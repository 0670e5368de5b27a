import type { PutOnce, Stored } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import {
  type ControlCommand,
  decide,
  isUnfinished,
  lifetimeSeconds,
  type RetentionPolicy,
  userHash,
} from "@longhaul/job";
import type { View } from "@longhaul/store";
import { jobNotFound, ProblemError } from "../problem-error.ts";

/** What control needs of the world. */
export type ControlPorts = {
  /** Leader read of the job's record. */
  newest(id: string): Promise<Stored | null>;
  view(id: string): Promise<View | null>;
  put: PutOnce;
  now(): number;
  /** Uniform in 0..1. */
  unit(): number;
};

export type ControlPolicy = Pick<RetentionPolicy, "retryWindowFailedSeconds" | "retryWindowCancelledSeconds"> & {
  deadlineSeconds: number;
  putDeadlineMs: number;
};

/** Who asks for what of which job. */
export type ControlRequest = {
  id: string;
  command: ControlCommand;
  actor: string;
  owns(job: { tenant: string; user: string }): boolean;
  traceparent: string;
  traceId: string;
};

/** The job after the command. */
export type Controlled = { seq: number; record: JobRecord };

const SOURCE = "/longhaul/gateway";
const AWAY_RETRY_SECONDS = 2;
/** Other writers may be first this often before the caller is asked to come again. */
const MAX_CONFLICTS = 10;

/**
 * Gives a job a command: reads it, decides, writes the decision in place of what was read, and decides anew when
 * somebody else wrote first.
 * @throws ProblemError `NOT_FOUND`; `INVALID_STATE` or `RETRY_WINDOW_CLOSED` when the job's state forbids it;
 *   `DEPENDENCY_UNAVAILABLE`, with `outcome` when it is not known whether the command was written
 * @throws BusError, StoreError when nobody can tell what the job's state is
 */
export async function controlDownload(
  ports: ControlPorts,
  policy: ControlPolicy,
  request: ControlRequest,
): Promise<Controlled> {
  let job = await load(ports, request.id);
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    if (job === null || !request.owns(job.record)) throw jobNotFound();
    const now = new Date(ports.now());
    const { tenant, user } = job.record;
    const command = { type: request.command, actor: request.actor, traceId: request.traceId };
    const rules = { ...policy, userHash: userHash(tenant, user), archived: job.archived };
    const decision = decide(job.record, command, now, rules);
    if (decision.kind === "same") return job;
    if (decision.kind === "refused") {
      const { code, currentStatus, allowed } = decision;
      throw new ProblemError(code, refusalText(request.command, currentStatus), { currentStatus, allowed });
    }
    const { change } = decision;
    const result = await ports.put(request.id, job.expectedSeq, change, {
      deadlineMs: policy.putDeadlineMs,
      ttlSeconds: lifetimeSeconds(change.record, policy, ports.unit()) ?? undefined,
      traceparent: request.traceparent,
      source: SOURCE,
    });
    if (result.kind === "unknown" || result.kind === "full") throw notWritten(result.kind);
    if (result.kind === "done" && !result.superseded) return live(result) ?? gone();
    const current = result.kind === "done" ? result : result.current;
    job = current === null ? await load(ports, request.id) : live(current);
  }
  throw new ProblemError("DEPENDENCY_UNAVAILABLE", "The job changes too often at the moment; try again shortly.", {
    retryAfterSeconds: AWAY_RETRY_SECONDS,
  });
}

/** `expectedSeq`: what the next write has to name; 0 for a job that has left `JOBS`. */
type Loaded = Controlled & { expectedSeq: number; archived: boolean };

/** The job's record; of one that has left `JOBS` the view's copy. null = no such job. */
async function load(ports: ControlPorts, id: string): Promise<Loaded | null> {
  const stored = await ports.newest(id);
  if (stored !== null) return live(stored);
  const view = await ports.view(id);
  if (view === null || "erased" in view) return null;
  if (isUnfinished(view.status)) {
    throw new ProblemError("DEPENDENCY_UNAVAILABLE", "The job's state cannot be told for sure at the moment.", {
      retryAfterSeconds: AWAY_RETRY_SECONDS,
    });
  }
  return { seq: view.seq, record: view.record, expectedSeq: 0, archived: true };
}

function live({ seq, record }: Pick<Stored, "seq" | "record">): Loaded | null {
  return record.status === "erased" ? null : { seq, record, expectedSeq: seq, archived: false };
}

function gone(): never {
  throw jobNotFound();
}

function notWritten(kind: "unknown" | "full"): ProblemError {
  return kind === "full"
    ? new ProblemError("QUEUE_FULL", "Nothing more can be stored at the moment. Nothing was changed.", {
        retryAfterSeconds: AWAY_RETRY_SECONDS,
      })
    : new ProblemError("DEPENDENCY_UNAVAILABLE", "The message bus did not answer in time: look at the job again.", {
        outcome: "unknown",
        retryAfterSeconds: AWAY_RETRY_SECONDS,
      });
}

function refusalText(command: ControlCommand, currentStatus: string): string {
  return command === "retry" && currentStatus === "expired"
    ? "The job can no longer be retried; create a new one."
    : `A job that is ${currentStatus} cannot take the command ${command}.`;
}
