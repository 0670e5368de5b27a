import type { PutOnce, Stored } from "@longhaul/bus";
import type {
  CreateDownload,
  JobRecord,
  JobSpec,
  Lane,
  PayloadRef,
  SourceKind,
  StoredRecord,
} from "@longhaul/contracts";
import {
  bodyHash,
  fitsInRecord,
  type InlineMaxBytes,
  isLive,
  isUnfinished,
  newJob,
  safeResultName,
} from "@longhaul/job";
import type { View } from "@longhaul/store";
import { AWAY_RETRY_SECONDS, ProblemError } from "../problem-error.ts";
import { LONGEST_WRITE_MS, writeJob } from "./job-write.ts";

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
  /** Rejects with the ProblemError that names the files which the owner may not have. */
  assertAllowed(owner: CreateRequest["owner"], fileIds: readonly number[]): Promise<void>;
  /** Where the user's next job waits; asked once for each new job. */
  nextLane(tenant: string, user: string): Lane;
  /** Stores what is too large for a record, under a fresh key of the job. Rejects in time for an answer. */
  putPayload(owner: { tenant: string; id: string }, value: unknown): Promise<PayloadRef>;
  now(): number;
  randomId(): string;
};

export type CreatePolicy = {
  deadlineSeconds: number;
  putDeadlineMs: number;
  /** Where the files of new jobs come from. */
  sourceKind: SourceKind;
  /** How long a list in a record may be, where it differs from the rule. */
  inlineMaxBytes?: InlineMaxBytes;
};

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
 * @throws ProblemError `VALIDATION_ERROR`, `FORBIDDEN`, `QUEUE_FULL`, `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_KEY_SPENT`,
 *   `DEPENDENCY_UNAVAILABLE` (with `outcome` when it is not known whether the job was stored)
 * @throws BusError when nobody can tell whether the key has a job; then nothing was stored
 */
export async function createDownload(
  ports: CreatePorts,
  policy: CreatePolicy,
  request: CreateRequest,
): Promise<Created> {
  const spec = specOf(request.body, policy.sourceKind);
  if (!ports.busConnected()) throw away("The message bus is away. Nothing was stored; try again shortly.");
  const { body: _, keyedId, ...asked } = request;
  const { traceparent } = request;
  const hash = bodyHash(spec);
  const known = keyedId === null ? null : await jobOfKey(ports, keyedId);
  if (known !== null) return replay(ports, known, hash, traceparent);

  await ports.assertAllowed(asked.owner, request.body.fileIds);
  const id = keyedId ?? ports.randomId();
  const startedAt = ports.now();
  const list = await storedFileIds(ports, policy, { tenant: asked.owner.tenant, id }, request.body.fileIds);
  const now = new Date(ports.now());
  const lane = ports.nextLane(asked.owner.tenant, asked.owner.user);
  const { deadlineSeconds } = policy;
  const change = newJob({ ...asked, id, spec: { ...spec, ...list, lane }, bodyHash: hash, now, deadlineSeconds });
  const deadlineMs = Math.min(policy.putDeadlineMs, startedAt + LONGEST_WRITE_MS - ports.now());
  if (deadlineMs <= 0) throw away("The object storage took too long. Nothing was stored; try again shortly.");
  const result = await writeJob(ports.put, id, 0, change, { deadlineMs, traceparent });
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
  throw away("The job of this key cannot be told for sure at the moment.");
}

/**
 * The ids as the record has them: a list that is too long is put into object storage first. Nobody has to clean up when
 * no record comes to name it: the orphan sweep finds it.
 */
async function storedFileIds(
  ports: CreatePorts,
  { inlineMaxBytes }: CreatePolicy,
  owner: { tenant: string; id: string },
  fileIds: number[],
): Promise<Pick<JobSpec, "fileIds" | "ref">> {
  if (fitsInRecord("fileIds", fileIds, inlineMaxBytes)) return { fileIds, ref: null };
  try {
    return { fileIds: null, ref: await ports.putPayload(owner, fileIds) };
  } catch (error) {
    const detail =
      "The object storage, which keeps lists of so many files, is away. No job was made; try again shortly.";
    throw away(detail, error);
  }
}

const away = (detail: string, cause?: unknown): ProblemError =>
  new ProblemError("DEPENDENCY_UNAVAILABLE", detail, { retryAfterSeconds: AWAY_RETRY_SECONDS }, { cause });

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

/** The specification of what was asked for. */
function specOf(body: CreateDownload, sourceKind: SourceKind): Omit<JobSpec, "lane"> {
  if (body.archive === "none" && sourceKind !== "s3") {
    const detail = "Files of this service have no links of their own; leave it out, or send auto or zip.";
    throw new ProblemError("VALIDATION_ERROR", "Some fields are not valid; `errors` names each.", {
      errors: [{ pointer: "#/archive", detail }],
    });
  }
  return {
    fileIds: body.fileIds,
    ref: null,
    filesTotal: body.fileIds.length,
    class: body.priority,
    archive: body.archive,
    name: body.name === null ? null : safeResultName(body.name),
    metadata: body.metadata,
    callbackUrl: null,
    expiresInSeconds: body.expiresIn,
    maxFileBytes: null,
    sourceKind,
  };
}
