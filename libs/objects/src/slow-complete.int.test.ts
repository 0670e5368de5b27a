import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { expect, inject, onTestFinished, test } from "vitest";
import { startStoreProxy } from "../../../tests/chaos/store-proxy.ts";
import { createObjects } from "./create-objects.ts";

const MIB = 1024 ** 2;
const CALL_TIMEOUT_MS = 500;
/** A store that joins the parts without a word, for longer than a call may take. */
const JOINS_MS = 1_500;
/** Such an object gets that time, and some more. */
const SIZE = 32 * MIB;
const { signal } = new AbortController();

test("a store gets time to join the parts of a large object, and is asked once", async () => {
  const { region, bucket, accessKeyId, secretAccessKey, endpoint } = inject("s3");
  const proxy = await startStoreProxy(endpoint, { slowMs: JOINS_MS });
  const config = { s3Endpoint: proxy.url, s3Region: region, s3Bucket: bucket, s3CallTimeoutMs: CALL_TIMEOUT_MS };
  const objects = createObjects({
    ...config,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
    s3Sse: "none",
  });
  onTestFinished(async () => {
    objects.close();
    await proxy.close();
  });
  const { uploads } = objects.results;
  const key = `results/acme/${randomUUID()}/slow`;
  const bytes = Buffer.alloc(SIZE, 7);
  const crc = crc32(bytes).toString(16).padStart(8, "0");
  const upload = { key, id: await uploads.create(key, { contentType: "application/zip", signal }) };
  const part = {
    number: 1,
    etag: await uploads.sendPart(upload, { number: 1, bytes, crc32: crc }, signal),
    crc32: crc,
  };

  proxy.spoil("complete", "slow");
  await uploads.complete(upload, [part], { sizeBytes: SIZE, crc32: crc, signal });
  expect(proxy.spoilt()).toBe(1);
  expect(await objects.results.head(key)).toMatchObject({ sizeBytes: SIZE });

  proxy.heal();
  proxy.spoil("complete", "hanging");
  const small = uploads.complete(upload, [part], { sizeBytes: MIB, crc32: crc, signal });
  await expect(small).rejects.toMatchObject({ code: "TIMEOUT" });
});
