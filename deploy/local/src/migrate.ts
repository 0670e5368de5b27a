// `npm run migrate`: brings streams and indexes to what this version expects. Safe to run again at any time.
import { busMigrations, connectBus } from "@longhaul/bus";
import {
  BootError,
  createLogger,
  environment,
  loadConfig,
  mongodbConfig,
  natsConfig,
  streamConfig,
} from "@longhaul/runtime";
import { connectForMigration, storeMigrations } from "@longhaul/store";
import { z } from "zod";
import { runCli } from "./cli/run-cli.ts";

const migrationConfig = z.object({ ...natsConfig, ...streamConfig, ...mongodbConfig });

await runCli(async ({ say }) => {
  const config = loadConfig(migrationConfig, environment);
  const log = createLogger("migrate", "warn");
  const tell = (where: string, step: { id: number; name: string }, changes: readonly string[]) =>
    say(
      [
        `${where} ${step.id}, ${step.name}: ${changes.length ? "" : "nothing to change"}`,
        ...changes.map((change) => `  ${change}`),
      ].join("\n"),
    );

  const bus = await connectBus({
    servers: config.natsUrl,
    name: "longhaul-migrate",
    credsFile: config.natsCredsFile,
    caFile: config.natsCaFile,
    log,
  });
  try {
    const settings = {
      replicas: config.natsStreamReplicas as 1 | 3 | 5,
      jobsMaxBytes: config.jobsMaxBytes,
      ackWaitMs: config.ackWaitMs,
    };
    for (const step of busMigrations) {
      tell("streams", step, await step.up(bus, settings));
    }
  } finally {
    await bus.close();
  }

  const store = connectForMigration(config);
  try {
    for (const step of storeMigrations) {
      tell("database", step, await step.up(store));
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `MongoDB could not be brought to this version: ${reason}. See that MONGODB_URL is right and that the server runs, then run this again.`;
    throw new BootError(message, { code: "MIGRATION_FAILED", cause: error });
  } finally {
    await store.close();
  }
});
