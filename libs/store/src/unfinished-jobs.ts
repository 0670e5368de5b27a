import type { Collection } from "mongodb";
import type { Call } from "./call.ts";
import type { JobView, View } from "./view.ts";

export type UnfinishedPage = {
  status: "queued" | "running";
  /** The first time to look at, that itself included: 0, or the last `updatedAt` of the page before. */
  from: Date;
  /** Only jobs whose last write is older than this. */
  until: Date;
  /** 1…1000 */
  limit: number;
};

export type UnfinishedJob = { id: string; updatedAt: Date };

export type UnfinishedJobs = {
  /**
   * Jobs of one status that nobody has written to for a while, the longest unchanged first. The next page begins at the
   * last `updatedAt` of this one, whose jobs come again. Views lag: the job itself decides. @throws StoreError
   */
  page(asked: UnfinishedPage): Promise<UnfinishedJob[]>;
};

/** The jobs that the requeue sweep has to look at, by the index `unfinished`. */
export function createUnfinishedJobs(collection: Collection<View>, call: Call): UnfinishedJobs {
  return {
    page: ({ status, from, until, limit }) =>
      call("list unfinished jobs", async () => {
        const filter = { status, updatedAt: { $gte: from, $lt: until } };
        const found = collection.find<Pick<JobView, "_id" | "updatedAt">>(filter, { projection: { updatedAt: 1 } });
        const views = await found.sort({ updatedAt: 1 }).limit(limit).toArray();
        return views.map(({ _id, updatedAt }) => ({ id: _id, updatedAt }));
      }),
  };
}
