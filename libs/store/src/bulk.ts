import { type AnyBulkWriteOperation, BSON, type Collection, type Document, MongoBulkWriteError } from "mongodb";
import { rootOf } from "./store-error.ts";

/** What the server said about one operation of a bulk. */
export type ItemError = { index: number; code: number; message: string };

/**
 * Sends operations in one unordered bulk: each is done, whatever becomes of the others.
 *
 * @returns the errors of single operations
 * @throws what stopped the bulk as a whole
 */
export async function sendBulk<T extends Document>(
  collection: Collection<T>,
  operations: AnyBulkWriteOperation<T>[],
): Promise<ItemError[]> {
  try {
    await collection.bulkWrite(operations, { ordered: false });
    return [];
  } catch (error) {
    // A bulk that failed as a whole comes without item errors, and so does one that was done but not replicated.
    if (!(error instanceof MongoBulkWriteError) || rootOf(error) !== error) throw error;
    const items = [error.writeErrors].flat();
    if (items.length === 0) throw error;
    return items.map(({ index, code, errmsg }) => ({ index, code, message: errmsg ?? `error ${code}` }));
  }
}

/** Whether the driver could not encode a document, so that nothing was sent. */
export function isUnencodable(error: unknown): error is Error {
  return error instanceof BSON.BSONError || error instanceof RangeError;
}
