import type { AnyBulkWriteOperation, Collection } from "mongodb";
import { isUnencodable, sendBulk } from "./bulk.ts";
import { BulkSize } from "./bulk-size.ts";
import type { Call } from "./call.ts";
import { assertIndexes, JOBS_INDEXES } from "./indexes.ts";
import { DUPLICATE_KEY, refusesDocument, StoreError } from "./store-error.ts";
import type { ProgressUpdate, View } from "./view.ts";

/** A view that the database will never take, and why. */
export type RefusedView = { id: string; reason: string };

export type JobViews = {
  /**
   * Stores each view that is newer (by `seq`) than what is there, and drops the others: order and repetition do not
   * matter.
   *
   * @returns the views that can never be stored, for the log; to repeat them is of no use
   * @throws StoreError; then some may have been stored, and all can be repeated
   */
  upsertMany(views: readonly View[]): Promise<RefusedView[]>;
  /** Moves progress on in the views that show exactly that `seq` and a lower `n`; never makes a view. */
  writeProgress(updates: readonly ProgressUpdate[]): Promise<void>;
  get(id: string): Promise<View | null>;
  /** @throws BootError `MIGRATION_NEEDED` with a message that says what to run */
  assertIndexes(): Promise<void>;
};

/** The views of jobs that lie in `collection`. */
export function createJobViews(collection: Collection<View>, call: Call): JobViews {
  const size = new BulkSize();

  /** Does `send` for all items, as many at a time as the database is likely to do in time. */
  async function inBulks<T>(items: readonly T[], send: (bulk: readonly T[]) => Promise<unknown>): Promise<void> {
    for (let done = 0; done < items.length; ) {
      const bulk = items.slice(done, done + size.operations);
      try {
        await send(bulk);
      } catch (error) {
        if (error instanceof StoreError && error.code === "TIMEOUT") size.late();
        throw error;
      }
      size.inTime();
      done += bulk.length;
    }
  }

  return {
    async upsertMany(views) {
      const refused: RefusedView[] = [];
      await inBulks(views, async (bulk) => refused.push(...(await upsertBulk(collection, call, bulk))));
      return refused;
    },
    writeProgress: (updates) =>
      inBulks(updates, (bulk) => call("store progress", () => sendBulk(collection, bulk.map(moveProgress)))),
    get: (id) => call("read a view", () => collection.findOne({ _id: id })),
    assertIndexes: () => call("list its indexes", () => assertIndexes(collection, JOBS_INDEXES)),
  };
}

async function upsertBulk(collection: Collection<View>, call: Call, views: readonly View[]): Promise<RefusedView[]> {
  try {
    return await call("store views", upsertOf(collection, views));
  } catch (error) {
    const cause = error instanceof StoreError ? error.cause : error;
    if (!isUnencodable(cause)) throw error;
    const [first, ...rest] = views;
    if (first && rest.length === 0) return [{ id: first._id, reason: cause.message }];
  }
  // One of them cannot be encoded, and the driver does not say which.
  const refused: RefusedView[] = [];
  for (const view of views) refused.push(...(await upsertBulk(collection, call, [view])));
  return refused;
}

/** Stores the views; called again after an error, it goes on with what was not yet settled. */
function upsertOf(collection: Collection<View>, views: readonly View[]): () => Promise<RefusedView[]> {
  const refused: RefusedView[] = [];
  let left = views.map((view) => ({ view, upsert: true }));
  return async () => {
    while (left.length > 0) {
      const sent = left;
      const errors = await sendBulk(collection, sent.map(replaceOlder));
      left = [];
      let unsettled: string | null = null;
      for (const { index, code, message } of errors) {
        const item = sent[index];
        if (!item) continue;
        // The filter met nothing and the insert met the id. Either what is there is newer, or another writer made the
        // view in between and may be older than ours: a replace that cannot insert settles it.
        if (code === DUPLICATE_KEY) left.push({ view: item.view, upsert: false });
        else if (refusesDocument(code)) refused.push({ id: item.view._id, reason: message });
        else {
          left.push(item);
          unsettled = message;
        }
      }
      if (unsettled !== null) throw new StoreError("UNAVAILABLE", `MongoDB did not store every view (${unsettled}).`);
    }
    return refused;
  };
}

function replaceOlder({ view, upsert }: { view: View; upsert: boolean }): AnyBulkWriteOperation<View> {
  return { replaceOne: { filter: { _id: view._id, seq: { $lt: view.seq } }, replacement: encodable(view), upsert } };
}

function moveProgress({ id, seq, n, progress }: ProgressUpdate): AnyBulkWriteOperation<View> {
  return {
    updateOne: { filter: { _id: id, seq, n: { $lt: n } }, update: { $set: { n, "record.progress": progress } } },
  };
}

/**
 * The view as the driver must be given it: the keys of `metadata` are the user's, and the driver would take one that is
 * named `_bsontype` for its own. In a Map no key has a meaning.
 */
function encodable(view: View): View {
  if ("erased" in view) return view;
  const metadata = new Map(Object.entries(view.record.spec.metadata)) as unknown as Record<string, string>;
  return { ...view, record: { ...view.record, spec: { ...view.record.spec, metadata } } };
}
