import { randomUUID } from "node:crypto";
import { createLogger } from "@longhaul/runtime";
import { connectForMigration, connectStore, type Store, type StoreConfig, storeMigrations } from "@longhaul/store";
import { MongoClient } from "mongodb";
import { inject } from "vitest";
import { recordsBeside } from "./migrated.ts";

/** Databases of one test file on the shared server, and a store on them; nothing is in them yet. */
export type OwnDatabase = {
  config: StoreConfig & { mongodbRecordsDatabase: string };
  store: Store;
  /** Makes the indexes. */
  migrate(): Promise<string[]>;
  remove(): Promise<void>;
};

export function ownDatabase(): OwnDatabase {
  const mongodbViewsDatabase = `test_${randomUUID().slice(0, 8)}`;
  const config = {
    mongodbUrl: inject("mongodbUrl"),
    mongodbViewsDatabase,
    mongodbRecordsDatabase: recordsBeside({ mongodbViewsDatabase }),
    mongodbTimeoutMs: 20_000,
    mongodbMaxPoolSize: 20,
  };
  const store = connectStore(config, createLogger("test", "silent"));
  return {
    config,
    store,
    async migrate() {
      const target = connectForMigration(config);
      const done: string[] = [];
      for (const migration of storeMigrations) done.push(...(await migration.up(target)));
      await target.close();
      return done;
    },
    async remove() {
      await store.close();
      const client = new MongoClient(config.mongodbUrl);
      await client.db(config.mongodbViewsDatabase).dropDatabase();
      await client.db(config.mongodbRecordsDatabase).dropDatabase();
      await client.close();
    },
  };
}
