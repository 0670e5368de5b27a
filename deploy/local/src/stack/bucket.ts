import { setTimeout as sleep } from "node:timers/promises";
import { createObjects, ObjectsError } from "@longhaul/objects";
import { type Environment, envList, loadConfig, s3Config, sourceConfig } from "@longhaul/runtime";
import { z } from "zod";
import { StackError } from "../stack-error.ts";

const bucketConfig = z.object({
  ...s3Config,
  ...sourceConfig,
  allowedOrigins: envList().default(["http://localhost:3000"]),
});

const GIVE_UP_AFTER_MS = 20_000;
const RETRY_EVERY_MS = 200;

/** The buckets that the variables name. */
export function openBuckets(env: Environment) {
  return createObjects(loadConfig(bucketConfig, env));
}

/**
 * Makes the result bucket readable for the app's pages; a server that has just started may need a moment for it.
 * @throws StackError `START_FAILED` when the store does not let it be done
 */
export async function ensureBucket(env: Environment): Promise<void> {
  const objects = openBuckets(env);
  const origins = loadConfig(bucketConfig, env).allowedOrigins;
  const deadline = performance.now() + GIVE_UP_AFTER_MS;
  try {
    for (;;) {
      try {
        return await objects.results.ensure({ origins });
      } catch (error) {
        if (!(error instanceof ObjectsError)) {
          throw error;
        }
        // The SDK's chain will have no other credentials in a moment.
        const isFinal = error.code === "DENIED" && !env.S3_ACCESS_KEY_ID;
        if (isFinal || performance.now() > deadline) {
          const message = `The bucket ${objects.results.name} at ${env.S3_ENDPOINT || "AWS"} cannot be used: ${error.message}`;
          throw new StackError(message, { code: "START_FAILED", cause: error });
        }
        await sleep(RETRY_EVERY_MS);
      }
    }
  } finally {
    objects.close();
  }
}
