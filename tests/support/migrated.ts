import { type Bus, busMigrations } from "@longhaul/bus";
import { connectForMigration, type StoreConfig, storeMigrations } from "@longhaul/store";

/** Short, so that what a stopped process leaves unanswered comes again soon. */
export const ACK_WAIT_MS = 2000;

export const recordsBeside = ({ mongodbViewsDatabase }: Pick<StoreConfig, "mongodbViewsDatabase">) =>
  `${mongodbViewsDatabase}_records`;

/** Does what `npm run migrate` does. The records of each test lie beside its views: no two tests share a database. */
export async function migrate(bus: Bus, config: StoreConfig): Promise<void> {
  const settings = { replicas: 1, jobsMaxBytes: 64 * 1024 ** 2, ackWaitMs: ACK_WAIT_MS };
  for (const step of busMigrations) await step.up(bus, settings);
  const target = connectForMigration({ ...config, mongodbRecordsDatabase: recordsBeside(config) });
  for (const step of storeMigrations) await step.up(target);
  await target.close();
}
