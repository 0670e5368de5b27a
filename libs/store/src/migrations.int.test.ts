import { afterAll, expect, test } from "vitest";
import { ownDatabase } from "../../../tests/support/own-database.ts";
import { connectForMigration } from "./connect.ts";
import { JOBS_INDEXES } from "./indexes.ts";

const database = ownDatabase();
const { config, store, migrate } = database;
const target = connectForMigration(config);

afterAll(async () => {
  await target.close();
  await database.remove();
});

test("a service is told what is missing and what to run, until the migration has been run; again, it changes nothing", async () => {
  const missing = store.views.assertIndexes();
  await expect(missing).rejects.toMatchObject({ code: "MIGRATION_NEEDED" });
  await expect(missing).rejects.toThrow(/lacks the indexes owner_newest, .*tombstones_end\. .*`npm run migrate`/);

  const records = store.records(config.mongodbRecordsDatabase);
  await expect(records.assertIndexes()).rejects.toMatchObject({ code: "MIGRATION_NEEDED" });

  expect(await migrate()).toHaveLength(JOBS_INDEXES.length + 2);
  await store.views.assertIndexes();
  await records.assertIndexes();

  expect(await migrate()).toEqual([]);
});

test("one index that is gone is named alone", async () => {
  await migrate();
  await target.views.collection("jobs").dropIndex("by_trace");
  await expect(store.views.assertIndexes()).rejects.toThrow("lacks the index by_trace.");
  expect(await migrate()).toEqual([`index by_trace on ${config.mongodbViewsDatabase}.jobs`]);
});

test("an index of the same name over other fields is not passed over", async () => {
  await migrate();
  const jobs = target.views.collection("jobs");
  await jobs.dropIndex("by_trace");
  await jobs.createIndex({ somethingElse: 1 }, { name: "by_trace" });
  await expect(store.views.assertIndexes()).rejects.toThrow("lacks the index by_trace.");
  await expect(migrate()).rejects.toThrow(/could not make the index by_trace/);
});
