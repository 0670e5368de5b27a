import type { DueCursor, DuePage, FoundView } from "../../../libs/store/src/ending-views.ts";
import type { UnfinishedJob, UnfinishedPage } from "../../../libs/store/src/unfinished-jobs.ts";
import type { JobView, View } from "../../../libs/store/src/view.ts";

/** `after`: null = a tombstone whose time was over is removed. */
export type ViewChange = { before: View | null; after: View | null };

/**
 * The collection of views as the database keeps it: what is newer by its sequence replaces, a tombstone is left only of
 * what is still as it was found, and goes by itself when its time is over.
 */
export class ViewServer {
  readonly #now: () => number;
  readonly #views = new Map<string, View>();
  readonly #listeners: ((change: ViewChange) => void)[] = [];

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Told of each change, after it. */
  onChange(listener: (change: ViewChange) => void): void {
    this.#listeners.push(listener);
  }

  upsert(view: View): void {
    const before = this.get(view._id);
    if (before === null || before.seq < view.seq) this.#set(view._id, before, view);
  }

  get(id: string): View | null {
    const view = this.#views.get(id) ?? null;
    if (view === null || !("erased" in view) || view.until.getTime() > this.#now()) return view;
    this.#set(id, view, null);
    return null;
  }

  due(now: Date, limit: number, after: DueCursor | null): DuePage {
    const had = new Set(after?.ids);
    const found = this.#jobs()
      .filter(({ _id, dueAt }) => dueAt && dueAt <= now && (!after || (dueAt >= after.dueAt && !had.has(_id))))
      .sort((a, b) => Number(a.dueAt) - Number(b.dueAt))
      .slice(0, limit);
    const last = found.at(-1)?.dueAt;
    const ids = found.map(({ _id }) => _id);
    if (found.length < limit || last === undefined) return { ids, next: null };
    const sameTime = found.filter(({ dueAt }) => dueAt?.getTime() === last.getTime()).map(({ _id }) => _id);
    const before = after?.dueAt.getTime() === last.getTime() ? after.ids : [];
    return { ids, next: { dueAt: last, ids: [...before, ...sameTime] } };
  }

  writtenUntil(status: JobView["status"], writtenUntil: Date, limit: number): FoundView[] {
    return this.#jobs()
      .filter((view) => view.status === status && view.updatedAt <= writtenUntil)
      .sort(longestUnchanged)
      .slice(0, limit)
      .map(({ _id, seq }) => ({ id: _id, seq }));
  }

  bury(found: readonly FoundView[], until: Date): void {
    for (const { id, seq } of found) {
      const before = this.get(id);
      if (before?.seq === seq) this.#set(id, before, { _id: id, seq, erased: true, until });
    }
  }

  unfinished({ status, from, until, limit }: UnfinishedPage): UnfinishedJob[] {
    return this.#jobs()
      .filter((view) => view.status === status && view.updatedAt >= from && view.updatedAt < until)
      .sort(longestUnchanged)
      .slice(0, limit)
      .map(({ _id, updatedAt }) => ({ id: _id, updatedAt }));
  }

  #jobs(): JobView[] {
    return [...this.#views.values()].flatMap((view) => ("erased" in view ? [] : [view]));
  }

  #set(id: string, before: View | null, after: View | null): void {
    if (after === null) this.#views.delete(id);
    else this.#views.set(id, after);
    for (const listener of this.#listeners) listener({ before, after });
  }
}

const longestUnchanged = (a: JobView, b: JobView) => a.updatedAt.getTime() - b.updatedAt.getTime();
