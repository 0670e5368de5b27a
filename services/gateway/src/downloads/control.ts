import type { PutOnce, Stored } from "@longhaul/bus";
import type { JobRecord, Lane, StoredRecord } from "@longhaul/contracts";
import {
  type CommandRules,
  type ControlCommand,
  decide,
  isLive,
  isUnfinished,
  lifetimeSeconds,
  type RetentionPolicy,
  userHash,
} from "@longhaul/job";
import type { View } from "@longhaul/store";
import { AWAY_RETRY_SECONDS, jobNotFound, ProblemError } from "../problem-error.ts";
import { LONGEST_WRITE_MS, writeJob } from "./job-write.ts";

/** What control needs of the world. */
export type ControlPorts = {
  /** Leader read of the job's record. */
  newest(id: string): Promise<Stored | null>;
  view(id: string): Promise<View | null>;
  put: PutOnce;
  /** Puts the work item without being waited for; a failed send is its own business. */
  sendWork(record: JobRecord, seq: number, traceparent: string): void;
  /** Where the user's job waits when it is queued anew; asked once for each request that may do that. */
  nextLane(tenant: string, user: string): Lane;
  now(): number;
  /** Uniform in 0..1. */
  unit(): number;
};

export type ControlPolicy = Pick<RetentionPolicy, "retryWindowFailedSeconds" | "retryWindowCancelledSeconds"> & {
  deadlineSeconds: number;
  putDeadlineMs: number;
};

/** Who asks, and for which job. */
export type JobRequest = {
  id: string;
  actor: string;
  /** Whether the job, as it stands, is one that is asked for; if not, it is as good as not there. */
  admits(record: JobRecord): boolean;
  traceparent: string;
  traceId: string;
};

/** The newest of a job after a command, or after its deletion. */
export type Controlled = { seq: number; record: JobRecord };
export type Erased = { seq: number; record: StoredRecord };

/** Other writers may be first this often before the caller is asked to come again. */
const MAX_CONFLICTS = 10;

/**
 * Gives a job a command: reads it, decides, writes the decision in place of what was read, and decides anew when
 * somebody else wrote first. One request has one effect at most. Resume and retry put the work item of the generation
 * that they begin.
 * @throws ProblemError `NOT_FOUND`; `INVALID_STATE` or `RETRY_WINDOW_CLOSED` when the job's state forbids it;
 *   `QUEUE_FULL`; `DEPENDENCY_UNAVAILABLE`, with `outcome` when it is not known whether the command was written
 * @throws BusError, StoreError when nobody can tell what the job's state is; then nothing was written
 */
export async function controlDownload(
  ports: ControlPorts,
  policy: ControlPolicy,
  request: JobRequest & { command: ControlCommand },
): Promise<Controlled> {
  const { seq, record, wrote } = await apply(ports, policy, request);
  // Deleted by somebody else, at once after our write.
  if (!isLive(record)) throw jobNotFound();
  if (wrote && begins(request.command) && record.status === "queued") ports.sendWork(record, seq, request.traceparent);
  return { seq, record };
}

/**
 * Deletes a job in whatever state it is, also one that has left `JOBS`: one write, after which nothing personal is left
 * in its record. Whoever runs it stops, and cleanup removes its files.
 * @throws as `controlDownload`; `NOT_FOUND` also when it was deleted before
 */
export async function eraseDownload(ports: ControlPorts, policy: ControlPolicy, request: JobRequest): Promise<Erased> {
  const { seq, record } = await apply(ports, policy, { ...request, command: "erase" });
  return { seq, record };
}

type Applied = { seq: number; record: StoredRecord; wrote: boolean };

async function apply(
  ports: ControlPorts,
  policy: ControlPolicy,
  request: JobRequest & { command: ControlCommand | "erase" },
): Promise<Applied> {
  const endsAt = ports.now() + LONGEST_WRITE_MS;
  let job = await load(ports, request.id);
  const firstGeneration = job?.record.generation ?? 0;
  const lane = job !== null && begins(request.command) ? ports.nextLane(job.record.tenant, job.record.user) : undefined;
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    if (job === null || !request.admits(job.record)) throw jobNotFound();
    const done = decided(job, { ...request, lane }, firstGeneration, new Date(ports.now()), policy);
    if (done === "as-asked") return { seq: job.seq, record: job.record, wrote: false };
    const deadlineMs = Math.min(policy.putDeadlineMs, endsAt - ports.now());
    if (deadlineMs <= 0) break;
    const result = await writeJob(ports.put, request.id, job.expectedSeq, done, {
      deadlineMs,
      ttlSeconds: lifetimeSeconds(done.record, policy, ports.unit()) ?? undefined,
      traceparent: request.traceparent,
    });
    // Superseded or not: what was asked for has happened, and must not happen twice.
    if (result.kind === "done") return { seq: result.seq, record: result.record, wrote: true };
    job = result.current === null ? await load(ports, request.id) : live(result.current);
  }
  throw new ProblemError(
    "DEPENDENCY_UNAVAILABLE",
    "The job changes too often at the moment. Nothing was changed by this request; try again shortly.",
    { retryAfterSeconds: AWAY_RETRY_SECONDS },
  );
}

/**
 * What is to be written, or that nothing is.
 * @throws ProblemError when the job's state forbids the command, or cannot be told for sure
 */
function decided(
  { record, archived }: Loaded,
  { command, actor, traceId, lane }: JobRequest & { command: ControlCommand | "erase"; lane: Lane | undefined },
  firstGeneration: number,
  now: Date,
  policy: ControlPolicy,
) {
  // Only the command `recover` writes from an unfinished copy: something has been lost.
  if (archived && isUnfinished(record.status)) {
    throw new ProblemError("DEPENDENCY_UNAVAILABLE", "The job's state cannot be told for sure at the moment.", {
      retryAfterSeconds: AWAY_RETRY_SECONDS,
    });
  }
  // Somebody else's click was first, and began the generation that this one asked for.
  if (begins(command) && record.generation > firstGeneration) return "as-asked" as const;
  const rules: CommandRules = { ...policy, userHash: userHash(record.tenant, record.user), archived };
  const decision = decide(record, { type: command, actor, traceId, lane }, now, rules);
  if (decision.kind === "change") return decision.change;
  if (decision.kind === "same") return "as-asked" as const;
  const { code, currentStatus, allowed } = decision;
  throw new ProblemError(code, refusalText(code, command, currentStatus), { currentStatus, allowed });
}

/** Whether the command queues the job anew, as a generation of its own. */
const begins = (command: ControlCommand | "erase") => command === "resume" || command === "retry";

/** `expectedSeq`: what the next write has to name; 0 for a job that has left `JOBS`. */
type Loaded = Controlled & { expectedSeq: number; archived: boolean };

/** The job's record; of one that has left `JOBS` the view's copy. null = no such job. */
async function load(ports: ControlPorts, id: string): Promise<Loaded | null> {
  const stored = await ports.newest(id);
  if (stored !== null) return live(stored);
  const view = await ports.view(id);
  if (view === null || "erased" in view) return null;
  return { seq: view.seq, record: view.record, expectedSeq: 0, archived: true };
}

function live({ seq, record }: Pick<Stored, "seq" | "record">): Loaded | null {
  return isLive(record) ? { seq, record, expectedSeq: seq, archived: false } : null;
}

function refusalText(code: "INVALID_STATE" | "RETRY_WINDOW_CLOSED", command: string, currentStatus: string): string {
  return code === "RETRY_WINDOW_CLOSED"
    ? "The job can no longer be retried; create a new one."
    : `A job that is ${currentStatus} cannot take the command ${command}.`;
}
