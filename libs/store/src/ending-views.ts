import type { Collection } from "mongodb";
import { sendBulk } from "./bulk.ts";
import type { Call } from "./call.ts";
import type { JobView, View } from "./view.ts";

/** Where a walk through the due views stands: the last time it met, and every view of that time that it has had. */
export type DueCursor = { dueAt: Date; ids: readonly string[] };

export type DuePage = {
  ids: string[];
  /** For the next page; null = this was the last. */
  next: DueCursor | null;
};

/** A view as it was found: it may have moved on since. */
export type FoundView = { id: string; seq: number };

/** What the expiry asks of the views. Every answer is bounded and read in the order of an index. */
export type EndingViews = {
  /** Jobs whose time was over at `now`, the longest overdue first. */
  due(now: Date, limit: number, after: DueCursor | null): Promise<DuePage>;
  /** Views of this status whose job was last written at or before `writtenUntil`, the oldest first. */
  writtenUntil(status: JobView["status"], writtenUntil: Date, limit: number): Promise<FoundView[]>;
  /** Leaves tombstones of the views that still are as they were found; one that has moved on stays. */
  bury(found: readonly FoundView[], until: Date): Promise<void>;
};

/** The views of `collection`, as far as their end is concerned. */
export function createEndingViews(collection: Collection<View>, call: Call): EndingViews {
  const jobs = collection as unknown as Collection<JobView>;
  return {
    async due(now, limit, after) {
      // Of several views with the same time an index knows no order: those that were had are left out by name.
      const filter = after
        ? { dueAt: { $gte: after.dueAt, $lte: now }, _id: { $nin: [...after.ids] } }
        : { dueAt: { $lte: now } };
      const found = await call("list due jobs", () =>
        jobs.find(filter, { projection: { dueAt: 1 }, sort: { dueAt: 1 }, limit }).toArray(),
      );
      const ids = found.map(({ _id }) => _id);
      const last = found.at(-1)?.dueAt;
      if (found.length < limit || last === undefined) return { ids, next: null };
      const sameTime = found.filter(({ dueAt }) => dueAt?.getTime() === last.getTime()).map(({ _id }) => _id);
      const before = after?.dueAt.getTime() === last.getTime() ? after.ids : [];
      return { ids, next: { dueAt: last, ids: [...before, ...sameTime] } };
    },
    async writtenUntil(status, writtenUntil, limit) {
      const filter = { status, updatedAt: { $lte: writtenUntil } };
      const found = await call("list forgotten jobs", () =>
        jobs.find(filter, { projection: { seq: 1 }, sort: { updatedAt: 1 }, limit }).toArray(),
      );
      return found.map(({ _id, seq }) => ({ id: _id, seq }));
    },
    async bury(found, until) {
      if (found.length === 0) return;
      const operations = found.map(({ id, seq }) => ({
        replaceOne: { filter: { _id: id, seq }, replacement: { _id: id, seq, erased: true as const, until } },
      }));
      await call("leave tombstones", () => sendBulk(collection, operations));
    },
  };
}
