import type { Collection, Filter } from "mongodb";
import type { Call } from "./call.ts";
import type { DeadLetterPosition } from "./dead-letters.ts";
import { DUPLICATE_KEY } from "./store-error.ts";

/** Jobs that were done, left alone because they are no longer what was asked for, and that nobody can do. */
export type OperationTally = { done: number; skipped: number; failed: number };

/** Bulk work that an operator asked for. A notifier claims it, does it at a rate, and keeps here how far it is. */
export type Operation = {
  _id: string;
  action: "redrive";
  /** Only dead letters with this error; null = all. Only those that failed before the operation was asked for. */
  code: string | null;
  ratePerSecond: number;
  actor: string;
  reason: string | null;
  traceparent: string;
  status: "running" | "stopped" | "completed";
  /** Dead letters when it was asked for, counted to 10,000. */
  matched: number;
  tally: OperationTally;
  /** The last job that was looked at. */
  position: DeadLetterPosition | null;
  createdAt: Date;
  endedAt: Date | null;
  /** Who does it, and until when nobody else may take it over. */
  claim: { token: string; until: Date } | null;
};

export type Operations = {
  /** Stores a new operation; nothing happens if one with its id is there. @throws StoreError */
  add(operation: Operation): Promise<void>;
  get(id: string): Promise<Operation | null>;
  /** Stops an operation that runs; gives it as it is then. null = there is none. @throws StoreError */
  stop(id: string, now: Date): Promise<Operation | null>;
  /** Takes an operation that nobody does; null = there is none. @throws StoreError */
  claim(token: string, now: Date, until: Date): Promise<Operation | null>;
  /**
   * Notes how far an operation is, and that it is done if `endedAt` says so. False: it was stopped, or is no longer mine.
   * @throws StoreError
   */
  advance(
    id: string,
    token: string,
    state: Pick<Operation, "tally" | "position" | "endedAt"> & { until: Date },
  ): Promise<boolean>;
};

/** The operations in `collection`, until a month after their end. There are few at any time, so that they are found without an index of their own. */
export function createOperations(collection: Collection<Operation>, call: Call): Operations {
  return {
    add: (operation) =>
      call("store an operation", async () => {
        await collection.insertOne(operation).catch((error: { code?: unknown }) => {
          if (error.code !== DUPLICATE_KEY) throw error;
        });
      }),
    get: (id) => call("read an operation", () => collection.findOne({ _id: id })),
    stop: (id, now) =>
      call("stop an operation", async () => {
        await collection.updateOne({ _id: id, status: "running" }, { $set: { status: "stopped", endedAt: now } });
        return await collection.findOne({ _id: id });
      }),
    claim: (token, now, until) =>
      call("claim an operation", async () => {
        const free: Filter<Operation> = {
          status: "running",
          $or: [{ claim: null }, { "claim.until": { $lt: now } }, { "claim.token": token }],
        };
        return await collection.findOneAndUpdate(
          free,
          { $set: { claim: { token, until } } },
          { returnDocument: "after" },
        );
      }),
    advance: (id, token, { tally, position, endedAt, until }) =>
      call("note how far an operation is", async () => {
        const status: Operation["status"] = endedAt === null ? "running" : "completed";
        const state = { tally, position, endedAt, status, "claim.until": until };
        const mine: Filter<Operation> = { _id: id, "claim.token": token, status: { $in: ["running", status] } };
        return (await collection.updateOne(mine, { $set: state })).matchedCount > 0;
      }),
  };
}
