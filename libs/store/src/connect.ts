import type { Logger } from "@longhaul/runtime";
import { type Db, MongoClient } from "mongodb";
import { createCall } from "./call.ts";
import { createDeadLetterViews, type DeadLetterViews } from "./dead-letters.ts";
import { createEndingViews, type EndingViews } from "./ending-views.ts";
import { createJobViews, type JobViews } from "./job-views.ts";
import { createRecords, type Records } from "./records.ts";
import { createUnfinishedJobs, type UnfinishedJobs } from "./unfinished-jobs.ts";
import type { View } from "./view.ts";

/** The `mongodbConfig` of a service. */
export type StoreConfig = {
  mongodbUrl: string;
  mongodbViewsDatabase: string;
  /** One call, with all its tries. */
  mongodbTimeoutMs: number;
  mongodbMaxPoolSize: number;
};

export type Store = {
  views: JobViews;
  /** The same views, as far as operators have to look at them. */
  deadLetters: DeadLetterViews;
  /** The same views, as far as their end is concerned. */
  ending: EndingViews;
  unfinished: UnfinishedJobs;
  records(database: string): Records;
  /** @throws StoreError when the database does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** The collection of the views in its database. */
export const JOBS_COLLECTION = "jobs";

/**
 * The database. Nothing is opened before the first call, so that a service can start, and do what it can, while the
 * database is away; the driver connects, and connects again, by itself.
 */
export function connectStore(config: StoreConfig, log: Logger): Store {
  const client = openClient(config, config.mongodbTimeoutMs);
  client.on("serverHeartbeatFailed", ({ connectionId, failure }) =>
    log.debug({ server: connectionId, err: failure }, "MongoDB did not answer a heartbeat"),
  );
  const call = createCall(config.mongodbTimeoutMs);
  const database = client.db(config.mongodbViewsDatabase);
  const jobs = database.collection<View>(JOBS_COLLECTION);
  return {
    views: createJobViews(jobs, call),
    deadLetters: createDeadLetterViews(jobs, call),
    ending: createEndingViews(jobs, call),
    records: (name) => createRecords(client.db(name), call),
    unfinished: createUnfinishedJobs(jobs, call),
    ping: () => call("answer a ping", async () => void (await database.command({ ping: 1 }))),
    close: () => client.close(),
  };
}

/** What a migration works on; its calls may take long. */
export type MigrationStore = { views: Db; records: Db; close(): Promise<void> };

export function connectForMigration(config: StoreConfig & { mongodbRecordsDatabase: string }): MigrationStore {
  const client = openClient(config, 0);
  return {
    views: client.db(config.mongodbViewsDatabase),
    records: client.db(config.mongodbRecordsDatabase),
    close: () => client.close(),
  };
}

/**
 * Writes are acknowledged when a majority has them on disk.
 *
 * @param socketTimeoutMS how long one command may wait for its answer; 0 = as long as the server works on it
 */
function openClient(config: StoreConfig, socketTimeoutMS: number): MongoClient {
  const halfMs = Math.ceil(config.mongodbTimeoutMs / 2);
  return new MongoClient(config.mongodbUrl, {
    appName: "longhaul",
    maxPoolSize: config.mongodbMaxPoolSize,
    // Half of a call's time, so that what is wrong can still be said before that is over.
    serverSelectionTimeoutMS: halfMs,
    waitQueueTimeoutMS: halfMs,
    connectTimeoutMS: config.mongodbTimeoutMs,
    socketTimeoutMS,
    writeConcern: { w: "majority", journal: true },
  });
}
