import { JOBS_COLLECTION, type MigrationStore } from "./connect.ts";
import { createIndexes, JOBS_INDEXES } from "./indexes.ts";
import { createRecordsIndexes } from "./records.ts";

/** A numbered step; `up` tells in words what it changed, and may be run again at any time. */
export type StoreMigration = { id: number; name: string; up(store: MigrationStore): Promise<string[]> };

export const storeMigrations: readonly StoreMigration[] = [
  {
    id: 1,
    name: "indexes of the job views",
    up: ({ views }) => createIndexes(views.collection(JOBS_COLLECTION), JOBS_INDEXES),
  },
  {
    id: 2,
    name: "indexes of the records",
    up: ({ records }) => createRecordsIndexes(records),
  },
];
