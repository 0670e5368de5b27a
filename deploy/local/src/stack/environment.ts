import type { Environment } from "@longhaul/runtime";
import type { Role } from "../servers/catalog.ts";
import type { S3Credentials } from "../servers/s3.ts";
import type { RunFile } from "./run-file.ts";
import type { Secrets } from "./secrets.ts";

/** How this stack's storage is reached. */
export type S3Access = RunFile["s3"];

/**
 * The storage as the environment names it; `own` are the credentials of a server that is started here. Whoever names a
 * server of their own may leave the credentials to the AWS SDK's chain.
 */
export function s3Access(env: Environment, endpoint: string, own: S3Credentials): S3Access {
  const fallback = env.S3_ENDPOINT ? { accessKeyId: "", secretAccessKey: "" } : own;
  return {
    endpoint,
    region: env.S3_REGION || "us-east-1",
    bucket: env.S3_BUCKET || "longhaul",
    accessKeyId: env.S3_ACCESS_KEY_ID || fallback.accessKeyId,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY || fallback.secretAccessKey,
  };
}

/** The variables of `s3Access`, as services and tools read them. */
export function s3Variables(s3: S3Access): Environment {
  return {
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    ...(s3.accessKeyId ? { S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey } : {}),
  };
}

/** What every service gets: the stack's own values, under whatever the environment sets. Empty means not set. */
export function serviceEnvironment(
  env: Environment,
  urls: Record<Role, string>,
  s3: S3Access,
  secrets: Secrets,
): Environment {
  return {
    NATS_URL: urls.nats,
    MONGODB_URL: urls.mongodb,
    ...s3Variables(s3),
    ID_SECRET: secrets.idSecret,
    TOKEN_SECRET: secrets.tokenSecret,
    SECRETS_KEY: secrets.secretsKey,
    WEBHOOK_SECRET: secrets.webhookSecret,
    ...withoutEmpty(env),
  };
}

function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
}
