export { connectForMigration, connectStore, type MigrationStore, type Store, type StoreConfig } from "./connect.ts";
export type { DeadLetterGroup, DeadLetterPosition, DeadLetterQuery, DeadLetterViews } from "./dead-letters.ts";
export type { DueCursor, EndingViews } from "./ending-views.ts";
export type { JobViews, RefusedView } from "./job-views.ts";
export { type StoreMigration, storeMigrations } from "./migrations.ts";
export type { Operation, Operations, OperationTally } from "./operations.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
export type { UnfinishedJob, UnfinishedJobs, UnfinishedPage } from "./unfinished-jobs.ts";
export { type JobView, ownerOf, type ProgressUpdate, type Tombstone, VIEW_VERSION, type View, viewOf } from "./view.ts";
