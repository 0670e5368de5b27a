import { S3ServiceException } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { toObjectsError } from "./to-objects-error.ts";

const answered = (name: string, httpStatusCode: number, headers: Record<string, string> = {}) =>
  Object.assign(
    new S3ServiceException({ name, message: "as the store says", $fault: "client", $metadata: { httpStatusCode } }),
    { $response: { statusCode: httpStatusCode, headers } },
  );

test.each([
  ["NoSuchKey", 404, "NOT_FOUND"],
  ["NotFound", 404, "NOT_FOUND"],
  ["NoSuchBucket", 404, "NO_BUCKET"],
  ["AccessDenied", 403, "DENIED"],
  ["SignatureDoesNotMatch", 403, "DENIED"],
  ["SlowDown", 503, "RATE_LIMITED"],
  ["InternalError", 500, "UNAVAILABLE"],
  ["RequestTimeout", 400, "TIMEOUT"],
  ["BucketAlreadyOwnedByYou", 409, "CONFLICT"],
  ["NotImplemented", 501, "UNSUPPORTED"],
  ["InvalidArgument", 400, "REJECTED"],
])("%s with %i is %s", (name, status, code) => {
  expect(toObjectsError(answered(name, status), "HEAD a")).toMatchObject({ code });
});

test.each([
  ["ECONNREFUSED", "UNAVAILABLE"],
  ["ECONNRESET", "UNAVAILABLE"],
  ["ENOTFOUND", "UNAVAILABLE"],
  ["ETIMEDOUT", "TIMEOUT"],
])("a socket's %s is %s", (system, code) => {
  const error = Object.assign(new Error("socket"), { code: system });
  expect(toObjectsError(error, "HEAD a")).toMatchObject({ code, cause: error });
});

test("that there are no credentials is said with the variables that give them", () => {
  const error = Object.assign(new Error("Could not load credentials from any providers"), {
    name: "CredentialsProviderError",
  });
  expect(toObjectsError(error, "HEAD a")).toMatchObject({
    code: "DENIED",
    message: expect.stringMatching(/^HEAD a failed .*Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/),
  });
});

test("Retry-After is read in seconds and as a date", () => {
  const retryAfterMs = (value: string) =>
    toObjectsError(answered("SlowDown", 503, { "retry-after": value }), "PUT a").retryAfterMs;
  expect(retryAfterMs("7")).toBe(7000);
  expect(retryAfterMs(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(55_000);
  expect(retryAfterMs("Thu, 01 Jan 1970 00:00:00 GMT")).toBe(0);
  expect(retryAfterMs("soon")).toBeUndefined();
});
