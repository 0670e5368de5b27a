import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openObjects } from "../../../tests/support/objects.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../tests/support/own-s3.ts";
import { listParts } from "./list-parts.ts";
import { listUploads } from "./list-uploads.ts";
import type { Objects, Upload } from "./objects.ts";

const { signal } = new AbortController();
const TIMEOUT_MS = 10_000;
const MIB = 1024 ** 2;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(implementation, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let own: OwnS3;
    let objects: Objects;
    let s3: S3Client;

    beforeAll(async () => {
      if (!server) return;
      own = await startS3(server);
      const { endpoint, region, accessKeyId, secretAccessKey } = own;
      objects = openObjects(own);
      const credentials = { accessKeyId, secretAccessKey };
      s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
    });
    afterAll(async () => {
      s3?.destroy();
      objects?.close();
      await own?.remove();
    });

    const create = async (key: string): Promise<Upload> => ({
      key,
      id: await objects.results.uploads.create(key, { contentType: "application/zip", signal }),
    });
    const put = (key: string) =>
      objects.results.put(key, Buffer.from("x"), { sizeBytes: 1, contentType: "text/plain", signal });

    test("uploads are listed with key, id and age, under their prefix only", async () => {
      const folder = `results/acme/${randomUUID()}/`;
      const mine = [await create(`${folder}a`), await create(`${folder}b`)];
      await create(`${folder.slice(0, -1)}0/c`);
      const found = await all(objects.results.uploads.list(folder, { signal }));
      expect(found.map(({ id }) => id).sort()).toEqual(mine.map(({ id }) => id).sort());
      expect(found.map(({ key }) => key).sort()).toEqual([`${folder}a`, `${folder}b`]);
      for (const { startedAt } of found) expect(Math.abs(Date.now() - startedAt.getTime())).toBeLessThan(60_000);
      expect(await all(objects.results.uploads.list(`results/acme/${randomUUID()}/`, { signal }))).toEqual([]);
    });

    test("uploads of several pages are all listed, from any page on, also when those of the page before are gone", async () => {
      const folder = `results/acme/${randomUUID()}/`;
      const mine: string[] = [];
      for (let i = 0; i < 7; i++) mine.push((await create(`${folder}${i}`)).id);
      const options = { signal, timeoutMs: TIMEOUT_MS, pageSize: 2 };
      const listed = await all(listUploads(s3, own.bucket, folder, options));
      expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(mine));
      const third = listed[4];
      const rest = await all(listUploads(s3, own.bucket, folder, { ...options, from: third?.page }));
      expect(rest.map(({ id }) => id)).toEqual(listed.slice(4).map(({ id }) => id));
      const seen: string[] = [];
      for await (const upload of listUploads(s3, own.bucket, folder, options)) {
        seen.push(upload.id);
        await objects.results.uploads.abort(upload, signal);
      }
      expect(new Set(seen)).toEqual(new Set(mine));
      expect(await all(objects.results.uploads.list(folder, { signal }))).toEqual([]);
    });

    test("parts of several pages are all listed, of one that was sent twice at least the last", async () => {
      const upload = await create(`results/acme/${randomUUID()}/a`);
      const send = (number: number, text: string) => {
        const bytes = Buffer.from(text);
        const crc = crc32(bytes).toString(16).padStart(8, "0");
        return objects.results.uploads.sendPart(upload, { number, bytes, crc32: crc }, signal);
      };
      const numbers = [1, 2, 3, 5, 8];
      for (const number of numbers) await send(number, "before");
      const etags: string[] = [];
      for (const number of numbers) etags.push(await send(number, `part ${number}`));
      const crcs = numbers.map((number) => crc32(`part ${number}`).toString(16).padStart(8, "0"));
      const listed = await all(listParts(s3, own.bucket, upload, { signal, timeoutMs: TIMEOUT_MS, pageSize: 2 }));
      expect(new Set(listed.map(({ number }) => number))).toEqual(new Set(numbers));
      for (const [i, number] of numbers.entries()) {
        expect(listed).toContainEqual({
          number,
          etag: etags[i],
          sizeBytes: 6,
          crc32: expect.toBeOneOf([null, crcs[i]]),
        });
      }
      await objects.results.uploads.abort(upload, signal);
      await expect(all(objects.results.uploads.listParts(upload, { signal }))).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });

    test("an aborted upload has no parts, and to abort it again is harmless", async () => {
      const upload = await create(`results/acme/${randomUUID()}/a`);
      const bytes = Buffer.alloc(5 * MIB);
      const part = { bytes, crc32: crc32(bytes).toString(16).padStart(8, "0") };
      await objects.results.uploads.sendPart(upload, { ...part, number: 1 }, signal);
      const onItsWay = objects.results.uploads.sendPart(upload, { ...part, number: 2 }, signal).catch(() => undefined);
      await objects.results.uploads.abort(upload, signal);
      await onItsWay;
      await objects.results.uploads.abort(upload, signal);
      expect(await all(objects.results.uploads.list(upload.key, { signal }))).toEqual([]);
      const late = objects.results.uploads.sendPart(upload, { ...part, number: 3 }, signal);
      // A gateway may close the connection in the middle of the body, so that the answer is not read.
      await expect(late).rejects.toMatchObject({ name: "ObjectsError" });
      expect(await all(objects.results.uploads.list(upload.key, { signal }))).toEqual([]);
    });

    test("an object is deleted once, and a list can begin after a key", async () => {
      const folder = `payload/acme/${randomUUID()}/`;
      for (const name of ["a", "b", "c"]) await put(`${folder}${name}`);
      await objects.results.delete(`${folder}b`, { signal });
      await objects.results.delete(`${folder}b`, { signal });
      await objects.results.delete(`${folder}never`, { signal });
      const keys = async (after?: string) =>
        (await all(objects.results.list(folder, { after, signal }))).map(({ key }) => key);
      expect(await keys()).toEqual([`${folder}a`, `${folder}c`]);
      expect(await keys(`${folder}a`)).toEqual([`${folder}c`]);
      await objects.results.delete(`${folder}a`, { signal });
      await objects.results.delete(`${folder}c`, { signal });
      expect(await keys()).toEqual([]);
    });
  });
}
