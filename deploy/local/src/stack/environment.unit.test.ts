import { expect, test } from "vitest";
import { s3Access, serviceEnvironment } from "./environment.ts";

const own = { accessKeyId: "own", secretAccessKey: "own-secret" };
const secrets = {
  idSecret: "id",
  tokenSecret: "token",
  secretsKey: "key",
  webhookSecret: "whsec_x",
  s3AccessKeyId: "own",
  s3SecretAccessKey: "own-secret",
};
const urls = { nats: "nats://n", mongodb: "mongodb://m", s3: "http://s" };

test("a server of our own is reached with our own credentials", () => {
  expect(s3Access({}, urls.s3, own)).toEqual({ endpoint: "http://s", region: "us-east-1", bucket: "longhaul", ...own });
});

test("a server that the environment names is never given our own credentials", () => {
  expect(s3Access({ S3_ENDPOINT: urls.s3 }, urls.s3, own)).toMatchObject({ accessKeyId: "", secretAccessKey: "" });
});

test("what the environment sets reaches the services; an empty variable counts as not set", () => {
  const s3 = s3Access({}, urls.s3, own);
  const env = serviceEnvironment({ ID_SECRET: "mine", TOKEN_SECRET: "", ACK_WAIT_MS: "3000" }, urls, s3, secrets);
  expect(env).toMatchObject({
    ID_SECRET: "mine",
    TOKEN_SECRET: "token",
    ACK_WAIT_MS: "3000",
    NATS_URL: "nats://n",
    S3_ACCESS_KEY_ID: "own",
  });
});
