import type { Db } from "mongodb";
import { type Audit, type AuditRecord, createAudit } from "./audit.ts";
import type { Call } from "./call.ts";
import { assertIndexes, createIndexes, type IndexSpec } from "./indexes.ts";
import { createOperations, type Operation, type Operations } from "./operations.ts";

/** What cannot be rebuilt, in its own database. */
export type Records = {
  operations: Operations;
  audit: Audit;
  /** @throws BootError `MIGRATION_NEEDED`; StoreError */
  assertIndexes(): Promise<void>;
};

const DAY_SECONDS = 86_400;

/** Collections and their indexes. What is kept for a time goes by an index of the server's. */
const COLLECTIONS: Readonly<Record<"operations" | "audit", readonly IndexSpec[]>> = {
  // As long as the dead letters that they are about.
  operations: [{ name: "ended_end", key: { endedAt: 1 }, expireAfterSeconds: 30 * DAY_SECONDS }],
  audit: [{ name: "year_end", key: { at: 1 }, expireAfterSeconds: 365 * DAY_SECONDS }],
};

export function createRecords(database: Db, call: Call): Records {
  return {
    operations: createOperations(database.collection<Operation>("operations"), call),
    audit: createAudit(database.collection<AuditRecord>("audit"), call),
    async assertIndexes() {
      for (const [name, specs] of Object.entries(COLLECTIONS)) {
        await call("list its indexes", () => assertIndexes(database.collection(name), specs));
      }
    },
  };
}

/** Makes the indexes that are missing; gives what was made, in words. @throws StoreError */
export async function createRecordsIndexes(database: Db): Promise<string[]> {
  const done: string[] = [];
  for (const [name, specs] of Object.entries(COLLECTIONS)) {
    done.push(...(await createIndexes(database.collection(name), specs)));
  }
  return done;
}
