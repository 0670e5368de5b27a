import { BootError } from "@longhaul/runtime";
import { type Collection, type Document, MongoServerError } from "mongodb";
import { NAMESPACE_NOT_FOUND, toStoreError } from "./store-error.ts";

export type IndexSpec = { name: string; key: Record<string, 1 | -1>; expireAfterSeconds?: number };

/** The indexes of `jobs`: each list has one that ends in its sort, so that pages are read in order and never sorted. */
export const JOBS_INDEXES: readonly IndexSpec[] = [
  { name: "owner_newest", key: { owner: 1, createdAt: -1, _id: -1 } },
  { name: "owner_status_newest", key: { owner: 1, status: 1, createdAt: -1, _id: -1 } },
  { name: "newest", key: { createdAt: -1, _id: -1 } },
  { name: "status_newest", key: { status: 1, createdAt: -1, _id: -1 } },
  { name: "due", key: { dueAt: 1 } },
  { name: "unfinished", key: { status: 1, updatedAt: 1 } },
  { name: "by_error", key: { errorCode: 1, createdAt: -1 } },
  { name: "by_file", key: { fileIds: 1, createdAt: -1 } },
  { name: "by_trace", key: { traceId: 1 } },
  { name: "tombstones_end", key: { until: 1 }, expireAfterSeconds: 0 },
];

/** An index over a large collection takes its time; the server stops it here, and the migration can be run again. */
const BUILD_MAX_MS = 30 * 60 * 1000;

/**
 * Makes the indexes that are missing, one after another: several at once would wait for each other's locks.
 *
 * @returns what was made, in words
 * @throws StoreError, also when there is another index of that name
 */
export async function createIndexes(collection: Collection, specs: readonly IndexSpec[]): Promise<string[]> {
  const done: string[] = [];
  for (const spec of await missingIndexes(collection, specs)) {
    const { key, ...options } = spec;
    try {
      await collection.createIndex(key, { ...options, maxTimeMS: BUILD_MAX_MS });
    } catch (error) {
      throw toStoreError(error, `make the index ${spec.name} of ${collection.namespace}`);
    }
    done.push(`index ${spec.name} on ${collection.namespace}`);
  }
  return done;
}

/**
 * Checks that the collection has each index under its name and with its keys.
 *
 * @throws BootError `MIGRATION_NEEDED` naming every index that is missing or different, and what to run
 */
export async function assertIndexes<T extends Document>(
  collection: Collection<T>,
  specs: readonly IndexSpec[],
): Promise<void> {
  const missing = await missingIndexes(collection, specs);
  if (missing.length === 0) return;
  const names = missing.map((spec) => spec.name).join(", ");
  throw new BootError(
    `The MongoDB collection ${collection.namespace} lacks the index${missing.length > 1 ? "es" : ""} ${names}. ` +
      "This version of Longhaul needs them: run `npm run migrate` with the same MONGODB_URL, then start again.",
    { code: "MIGRATION_NEEDED" },
  );
}

async function missingIndexes<T extends Document>(
  collection: Collection<T>,
  specs: readonly IndexSpec[],
): Promise<IndexSpec[]> {
  const found = await listIndexes(collection);
  return specs.filter((spec) => !found.some((index) => isSame(index, spec)));
}

async function listIndexes<T extends Document>(collection: Collection<T>): Promise<Document[]> {
  try {
    return await collection.listIndexes().toArray();
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

function isSame(index: Document, spec: IndexSpec): boolean {
  // The order of the keys is a part of what an index is, and both sides keep it.
  const sameKey = JSON.stringify(keyPairs(index.key)) === JSON.stringify(keyPairs(spec.key));
  return index.name === spec.name && sameKey && index.expireAfterSeconds === spec.expireAfterSeconds;
}

const keyPairs = (key: Record<string, unknown>) =>
  Object.entries(key).map(([field, direction]) => [field, Number(direction)]);
