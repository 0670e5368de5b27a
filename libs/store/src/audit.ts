import type { Collection } from "mongodb";
import type { Call } from "./call.ts";
import { DUPLICATE_KEY } from "./store-error.ts";

/** What an operator wanted to do, noted before it was done. */
export type AuditRecord = {
  _id: string;
  at: Date;
  tenant: string;
  actor: string;
  /** What was done, such as `dead-letter.discard`. */
  action: string;
  /** The id of what it was done to. */
  subject: string;
  reason: string | null;
  traceId: string;
  /** `done`, `unknown`, or the code of the refusal; null = nobody came to note it. */
  outcome: string | null;
};

export type Audit = {
  /** Stores a record; nothing happens if one with its id is there. @throws StoreError */
  add(record: AuditRecord): Promise<void>;
  /** Notes what came of it. @throws StoreError */
  settle(id: string, outcome: string): Promise<void>;
};

/** Who did what, in `collection`, for a year. */
export function createAudit(collection: Collection<AuditRecord>, call: Call): Audit {
  return {
    add: (record) =>
      call("store an audit record", async () => {
        await collection.insertOne(record).catch((error: { code?: unknown }) => {
          if (error.code !== DUPLICATE_KEY) throw error;
        });
      }),
    settle: (id, outcome) =>
      call("settle an audit record", async () => void (await collection.updateOne({ _id: id }, { $set: { outcome } }))),
  };
}
