import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import type { Standing } from "@longhaul/job";
import type { UploadsPage } from "@longhaul/objects";

/** The jobs, as housekeeping sees them. */
export interface Jobs {
  /** Leader read: as new as the last acknowledged write. Null = not, or no more, in `JOBS`. */
  newest(id: string): Promise<{ record: StoredRecord } | null>;
}

/** The views, which lag behind `JOBS` and outlive it. Every call rejects while they are away. */
export interface Views {
  /** Null = there is no view of such a job. */
  standing(id: string): Promise<Standing | null>;
  /** Jobs without a write since `until`, the longest unchanged first, beginning at `from`, that itself included. */
  unfinished(page: {
    status: "queued" | "running";
    from: Date;
    until: Date;
    limit: number;
  }): Promise<{ id: string; updatedAt: Date }[]>;
}

export interface Items {
  /** Puts a bare work item for the record's generation, unless there is one. */
  put(record: JobRecord): Promise<"sent" | "present">;
  /** Removes every item of the job; gives their number. */
  removeAll(id: string): Promise<number>;
}

export type Upload = { key: string; id: string };
/** `page`: where a listing can begin to come to this upload again. */
export type ListedUpload = Upload & { startedAt: Date; page: UploadsPage };

/** The bucket of results. Whatever does not exist (any more) is aborted and deleted without an error. */
export interface Bucket {
  /** In an order of the store's own; `from`: at this page. */
  uploads(
    prefix: string,
    options: { from?: UploadsPage | undefined; signal: AbortSignal },
  ): AsyncIterable<ListedUpload>;
  /** In the order of their keys; `after`: only greater keys. */
  objects(
    prefix: string,
    options: { after?: string | undefined; signal: AbortSignal },
  ): AsyncIterable<{ key: string; lastModified: Date }>;
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  delete(key: string, signal: AbortSignal): Promise<void>;
}

/** Counts what was done, for the metrics. */
export interface Tally {
  removed(what: "upload" | "object" | "work_item", by: "cleanup" | "orphans", count: number): void;
  requeued(): void;
}
