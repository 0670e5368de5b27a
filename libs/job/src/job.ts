import type { JobRecord, JobSpec } from "@longhaul/contracts";
import { type Change, type Occasion, told } from "./change.ts";
import { noProgress } from "./progress.ts";
import { plusSeconds } from "./time.ts";
import { NO_USAGE } from "./usage.ts";

/** Who asks for what. `deadlineSeconds`: how long the job may stay unfinished. */
export type NewJob = Occasion & {
  id: string;
  owner: { tenant: string; user: string; tier: string };
  clientIp: string | null;
  userAgent: string | null;
  createdVia: string;
  traceparent: string;
  spec: JobSpec;
  bodyHash: string;
  deadlineSeconds: number;
};

/** The first write of a job: queued, generation 1. It is to be stored where no message of the job is (expected sequence 0). */
export function newJob(input: NewJob): Change {
  const createdAt = input.now.toISOString();
  const record: JobRecord = {
    id: input.id,
    ...input.owner,
    clientIp: input.clientIp,
    userAgent: input.userAgent,
    createdVia: input.createdVia,
    traceparent: input.traceparent,
    spec: input.spec,
    bodyHash: input.bodyHash,
    status: "queued",
    generation: 1,
    failures: 0,
    crashes: 0,
    run: null,
    retryAt: null,
    error: null,
    createdAt,
    startedAt: null,
    updatedAt: createdAt,
    completedAt: null,
    deadlineAt: plusSeconds(input.now, input.deadlineSeconds),
    named: input.spec.ref !== null,
    plan: null,
    checkpoint: null,
    outcomes: null,
    progress: noProgress(input.spec.filesTotal, null),
    result: null,
    usage: NO_USAGE,
    timeline: [],
    writeId: "",
  };
  return told("download.requested.v1", record, "created", input);
}
