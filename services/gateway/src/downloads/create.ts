import type { PutOnce } from "@longhaul/bus";
import type { CreateDownload, JobRecord, JobSpec } from "@longhaul/contracts";
import { bodyHash, newJob, safeResultName } from "@longhaul/job";
import { ProblemError } from "../problem-error.ts";

/** What create needs of the world. */
export type CreatePorts = {
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
  owner: { tenant: string; user: string; tier: string };
  clientIp: string;
  userAgent: string | null;
  createdVia: string;
  traceparent: string;
  traceId: string;
};

/** A job that JetStream has acknowledged; `seq` is the stream sequence of its record. */
export type Created = { seq: number; record: JobRecord };

const SOURCE = "/longhaul/gateway";
const AWAY_RETRY_SECONDS = 2;
const FULL_RETRY_SECONDS = 30;

/**
 * Creates a job: its record is stored and acknowledged when this resolves, and the work item is on its way.
 * @throws ProblemError `NOT_IMPLEMENTED`, `DEPENDENCY_UNAVAILABLE` (with `outcome` when it is not known whether the job
 *   was stored), `QUEUE_FULL`
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
      {
        retryAfterSeconds: AWAY_RETRY_SECONDS,
      },
    );
  }
  const id = ports.randomId();
  const { owner, clientIp, userAgent, createdVia, traceparent, traceId } = request;
  const change = newJob({
    id,
    owner,
    clientIp,
    userAgent,
    createdVia,
    traceparent,
    traceId,
    spec,
    bodyHash: bodyHash(spec),
    now: new Date(ports.now()),
    deadlineSeconds: policy.deadlineSeconds,
  });
  const result = await ports.put(id, 0, change, { deadlineMs: policy.putDeadlineMs, traceparent, source: SOURCE });
  switch (result.kind) {
    case "done":
      return accepted(ports, result.record, result.seq, traceparent);
    case "unknown":
      throw new ProblemError(
        "DEPENDENCY_UNAVAILABLE",
        "The message bus did not answer in time: the job may have been stored.",
        {
          outcome: "unknown",
          retryAfterSeconds: AWAY_RETRY_SECONDS,
        },
      );
    case "full":
      throw new ProblemError("QUEUE_FULL", "No more jobs can be stored at the moment. Nothing was stored.", {
        retryAfterSeconds: FULL_RETRY_SECONDS,
      });
    case "conflict":
      throw new ProblemError("INTERNAL_ERROR", "The new job's id is taken; send the request again.");
  }
}

function accepted(
  ports: CreatePorts,
  record: Created["record"] | { status: "erased" },
  seq: number,
  traceparent: string,
): Created {
  // Only the owner could erase it, and nobody has been told its id yet.
  if (record.status === "erased")
    throw new ProblemError("INTERNAL_ERROR", "The new job was erased before it was answered.");
  ports.sendWork(record, seq, traceparent);
  return { seq, record };
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
