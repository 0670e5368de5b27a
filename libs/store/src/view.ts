import type { JobRecord, Progress, StoredRecord } from "@longhaul/contracts";
import { dueAt } from "@longhaul/job";

/** Version of the view's shape: a higher one is written over a lower one by a rebuild. */
export const VIEW_VERSION = 1;

/** More file ids than these are not indexed: they lie in object storage (`spec.ref`). */
const INDEXED_FILE_IDS_MAX = 1000;

/** What can be asked about a job: its record beside the fields that lists sort and filter by. */
export type JobView = {
  _id: string;
  /** Stream sequence of the write that the view shows. */
  seq: number;
  /** Progress messages seen at that sequence. */
  n: number;
  viewVersion: number;
  /** `tenant/user` */
  owner: string;
  status: JobRecord["status"];
  errorCode: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** When the expiry loop must look at the job; absent = never. */
  dueAt?: Date;
  fileIds: number[];
  traceId: string;
  record: JobRecord;
};

/** What is left of an erased job, so that a late write of it cannot bring the view back. */
export type Tombstone = { _id: string; seq: number; erased: true; until: Date };

export type View = JobView | Tombstone;

/** A progress message on its way into the view of its job. */
export type ProgressUpdate = { id: string; seq: number; n: number; progress: Progress };

/** The user's own name for themselves is unique inside their tenant only. */
export function ownerOf(tenant: string, user: string): string {
  return `${tenant}/${user}`;
}

/**
 * The view of a stored record.
 *
 * @param seq stream sequence of the write
 * @param traceId 32 hex digits of the trace that wrote it
 * @param tombstoneSeconds how long an erased job is remembered, counted from its last write
 */
export function viewOf(record: StoredRecord, seq: number, traceId: string, tombstoneSeconds: number): View {
  if (record.status === "erased") {
    return {
      _id: record.id,
      seq,
      erased: true,
      until: new Date(Date.parse(record.updatedAt) + tombstoneSeconds * 1000),
    };
  }
  const due = dueAt(record);
  return {
    _id: record.id,
    seq,
    n: 0,
    viewVersion: VIEW_VERSION,
    owner: ownerOf(record.tenant, record.user),
    status: record.status,
    errorCode: record.error?.code ?? null,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    ...(due === null ? {} : { dueAt: new Date(due) }),
    fileIds: record.spec.fileIds?.slice(0, INDEXED_FILE_IDS_MAX) ?? [],
    traceId,
    record,
  };
}
