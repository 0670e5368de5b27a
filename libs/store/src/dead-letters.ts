import type { Collection, Filter } from "mongodb";
import type { Call } from "./call.ts";
import type { JobView, View } from "./view.ts";

/** `maxAttempts`: so many failures make a failed job a dead letter. `code`: only those with this error. */
export type DeadLetterQuery = { maxAttempts: number; code: string | null };

/** The last job of the page before. */
export type DeadLetterPosition = { createdAt: Date; id: string };

export type DeadLetterGroup = { code: string; stage: string; count: number };

export type DeadLetterViews = {
  /** Dead letters, the newest job first; `after` null = from the begin. @throws StoreError */
  page(query: DeadLetterQuery, after: DeadLetterPosition | null, limit: number): Promise<JobView[]>;
  /** How many there are of each code and stage, the most first, among the newest 10,000. @throws StoreError */
  groups(query: DeadLetterQuery): Promise<DeadLetterGroup[]>;
};

/** Counting more would take long, and tell nobody more. */
const COUNTED_MAX = 10_000;
const NEWEST_FIRST = { createdAt: -1, _id: -1 } as const;

/** The failed jobs that a person has to look at, by the index `status_newest`. */
export function createDeadLetterViews(collection: Collection<View>, call: Call): DeadLetterViews {
  return {
    page: (query, after, limit) =>
      call("list dead letters", () => {
        const filter = { $and: [deadLetterFilter(query), ...(after === null ? [] : [olderThan(after)])] };
        return collection.find<JobView>(filter).sort(NEWEST_FIRST).limit(limit).toArray();
      }),
    groups: (query) =>
      call("count dead letters", async () => {
        const counted = collection.aggregate<{ _id: { code: string; stage: string }; count: number }>([
          { $match: deadLetterFilter(query) },
          { $sort: NEWEST_FIRST },
          { $limit: COUNTED_MAX },
          { $group: { _id: { code: "$record.error.code", stage: "$record.error.stage" }, count: { $sum: 1 } } },
        ]);
        const groups = (await counted.toArray()).map(({ _id, count }) => ({ ..._id, count: Number(count) }));
        return groups.sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
      }),
  };
}

/** The rule `isDeadLetter` of libs/job, as a query. */
function deadLetterFilter({ maxAttempts, code }: DeadLetterQuery): Filter<View> {
  return {
    status: "failed",
    $or: [{ "record.failures": { $gte: maxAttempts } }, { errorCode: "DEAD_LETTERED" }],
    ...(code === null ? {} : { errorCode: code }),
  };
}

function olderThan({ createdAt, id }: DeadLetterPosition): Filter<View> {
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] };
}
