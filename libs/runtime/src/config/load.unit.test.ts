import { expect, test } from "vitest";
import { z } from "zod";
import { envBoolean, envInt, envString } from "./fields.ts";
import { ConfigError, loadConfig, maskedConfig, variableOf } from "./load.ts";
import { mongodbConfig, natsConfig, s3Config } from "./server-shapes.ts";
import { httpConfig, serviceConfig } from "./service-shapes.ts";
import { sourceConfig } from "./source-shapes.ts";
import { unknownVariables } from "./unknown-variables.ts";

const schema = z.object({
  ...serviceConfig({ shutdownGraceMs: 25_000 }),
  ...natsConfig,
  ...mongodbConfig,
  ...s3Config,
});
const required = { NATS_URL: "nats://127.0.0.1:4222", MONGODB_URL: "mongodb://127.0.0.1" };

function failure(env: Record<string, string>): string {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("The settings were accepted.");
}

test("defaults are those that are published", () => {
  expect(loadConfig(schema, required)).toMatchObject({
    natsUrl: ["nats://127.0.0.1:4222"],
    ackWaitMs: 30_000,
    busTimeoutMs: 5000,
    jobsMaxBytes: 1_073_741_824,
    mongodbViewsDatabase: "longhaul_views",
    mongodbTimeoutMs: 10_000,
    s3Region: "us-east-1",
    s3CallTimeoutMs: 30_000,
    metricsPort: 9464,
    logLevel: "info",
    shutdownGraceMs: 25_000,
  });
});

test("one error names every missing and every wrong variable, each once", () => {
  const message = failure({
    MONGODB_URL: "localhost",
    ACK_WAIT_MS: "30s",
    METRICS_PORT: "70000",
    S3_FORCE_PATH_STYLE: "yes",
  });
  for (const variable of ["NATS_URL is missing", "MONGODB_URL", "ACK_WAIT_MS", "METRICS_PORT", "S3_FORCE_PATH_STYLE"]) {
    expect(message.split(variable)).toHaveLength(2);
  }
  expect(message).toContain('"30s"');
  expect(message).toContain("between 0 and 65535");
});

test("an empty variable counts as unset", () => {
  expect(loadConfig(schema, { ...required, ACK_WAIT_MS: "", S3_ENDPOINT: "" })).toMatchObject({ ackWaitMs: 30_000 });
  expect(failure({ NATS_URL: "", MONGODB_URL: required.MONGODB_URL })).toContain("NATS_URL is missing");
});

test.each(["True", "1", "yes", "TRUE", " true"])("%j is not a boolean", (value) => {
  const flag = z.object({ zeroCopy: envBoolean() });
  expect(() => loadConfig(flag, { ZERO_COPY: value })).toThrow("ZERO_COPY");
});

test('"false" is false', () => {
  expect(loadConfig(z.object({ zeroCopy: envBoolean() }), { ZERO_COPY: "false" })).toEqual({ zeroCopy: false });
});

test.each(["1e3", "0x10", "1.5", " 5", "5s", "-1"])("%j is not a whole number of 0 or more", (value) => {
  expect(() => loadConfig(z.object({ tries: envInt({ min: 0, max: 9000 }) }), { TRIES: value })).toThrow("TRIES");
});

test("settings cannot be changed", () => {
  expect(Object.isFrozen(loadConfig(schema, required))).toBe(true);
});

test("names of variables follow from the keys", () => {
  expect(["s3SseKmsKeyId", "sourceS3Endpoint", "ackWaitMs", "port"].map(variableOf)).toEqual([
    "S3_SSE_KMS_KEY_ID",
    "SOURCE_S3_ENDPOINT",
    "ACK_WAIT_MS",
    "PORT",
  ]);
});

test("a wrong secret is named, but not shown", () => {
  const secrets = z.object({ idSecret: envString().min(16, "must have at least 16 characters") });
  expect(() => loadConfig(secrets, { ID_SECRET: "hunter2" })).toThrow(
    /^(?!.*hunter2)[\s\S]*ID_SECRET must have at least 16/,
  );
});

test("the summary for the log has no secrets", () => {
  const config = loadConfig(
    z.object({ ...natsConfig, ...mongodbConfig, ...s3Config, ...sourceConfig, ...httpConfig }),
    {
      NATS_URL: "nats://me:pa55@one:4222,nats://two:4222",
      MONGODB_URL: "mongodb://root:pa55@db/?replicaSet=a",
      S3_SECRET_ACCESS_KEY: "pa55",
      SOURCE_S3_SECRET_ACCESS_KEY: "pa55",
      ID_SECRET: "pa55".repeat(4),
    },
  );
  const summary = JSON.stringify(maskedConfig(config));
  expect(summary).not.toContain("pa55");
  expect(summary).toContain("nats://***@one:4222");
  expect(summary).toContain("downloads/{file_id}.zip");
});

test("variables that look like ours and have no effect are named", () => {
  const env = {
    ...required,
    NATS_URLS: "x",
    S3_BUKET: "x",
    SLOTS_HIGH: "5",
    JOBS_EMPTY: "",
    HOME: "/root",
    NATS_SERVICE_HOST: "10.0.0.1",
    NATS_PORT_4222_TCP_ADDR: "10.0.0.1",
  };
  expect(unknownVariables(schema, env)).toEqual(["NATS_URLS", "S3_BUKET"]);
});

test.each([
  ["10.0.0.0/8, ::1", true],
  ["10.0.0.0/33", false],
  ["proxy.internal", false],
  ["10.0.0.1/8/8", false],
])("TRUST_PROXY=%s is accepted: %s", (value, accepted) => {
  const proxies = z.object({ trustProxy: httpConfig.trustProxy });
  const load = () => loadConfig(proxies, { TRUST_PROXY: value });
  if (accepted) expect(load().trustProxy).toEqual(value.split(", "));
  else expect(load).toThrow("TRUST_PROXY");
});

const sources = z.object({ syntheticRules: sourceConfig.syntheticRules, template: sourceConfig.httpSourceTemplate });

test("rules of made-up files are in order of their ids", () => {
  const load = (rules: string) => loadConfig(sources, { SYNTHETIC_RULES: rules }).syntheticRules;
  expect(load("")).toEqual([]);
  expect(load("90000:2m, 10000:500ms")).toEqual([
    { fromId: 10_000, durationMs: 500 },
    { fromId: 90_000, durationMs: 120_000 },
  ]);
});

test.each(["10000", "10000:1", "10000:1h", "10000:1s,", ":1s", "10000:1441m"])(
  "SYNTHETIC_RULES=%s is refused",
  (rules) => {
    expect(() => loadConfig(sources, { SYNTHETIC_RULES: rules })).toThrow("SYNTHETIC_RULES");
  },
);

test.each([
  ["https://files.example/{file_id}.bin", true],
  ["http://127.0.0.1:8080/get?id={file_id}", true],
  ["https://files.example/file.bin", false],
  ["https://me:secret@files.example/{file_id}", false],
  ["https://files.example/#{file_id}", false],
  ["ftp://files.example/{file_id}", false],
  ["files.example/{file_id}", false],
])("a template of %s is accepted: %s", (template, accepted) => {
  const load = () => loadConfig(sources, { TEMPLATE: template });
  if (accepted) expect(load().template).toBe(template);
  else expect(load).toThrow("TEMPLATE");
});
