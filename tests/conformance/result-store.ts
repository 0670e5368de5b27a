import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { ResultStore, SentPart } from "../../services/processor/src/job/ports.ts";
import { crcOf } from "../sim/objects/object-server.ts";
import { type Bench, outcomeOf } from "./bench.ts";

export type ResultStoreDriver = {
  store: ResultStore;
  /** Least size of every part but the last. */
  partBytes: number;
  /** Puts an object where sources lie, in place of an older one. */
  putSource(key: string, bytes: Uint8Array): Promise<{ bucket: string; etag: string }>;
  /** Whether the store copies parts, and says their CRCs. */
  copies: boolean;
};

const CONTENT_TYPE = "application/zip";

/** What the work takes for granted of the store of results. */
export function resultStoreConformance(bench: Bench<ResultStoreDriver>): void {
  const { signal } = new AbortController();
  const inBench = (name: string, body: (driver: ResultStoreDriver, key: string) => Promise<void>) =>
    test(name, () => bench.run((driver) => body(driver, `results/conformance/${randomUUID()}/key`)));
  const bytesOf = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) % 251);
  const put = ({ store }: ResultStoreDriver, key: string, bytes: Uint8Array) =>
    store.put(key, bytes, { contentType: CONTENT_TYPE, crc32: crcOf(bytes), signal });

  async function send(
    { store }: ResultStoreDriver,
    upload: { key: string; id: string },
    number: number,
    bytes: Uint8Array,
  ) {
    const crc32 = crcOf(bytes);
    return { number, etag: await store.uploadPart(upload, { number, bytes, crc32 }, signal), crc32 };
  }

  async function begin({ store }: ResultStoreDriver, key: string) {
    return { key, id: await store.createUpload(key, { contentType: CONTENT_TYPE, signal }) };
  }

  function complete(
    { store }: ResultStoreDriver,
    upload: { key: string; id: string },
    parts: SentPart[],
    whole: Uint8Array,
  ) {
    return store.completeUpload(upload, parts, { sizeBytes: whole.length, crc32: crcOf(whole), signal });
  }

  /** A store may keep no checksum; the one that it tells is that of the bytes. */
  async function expectStored({ store }: ResultStoreDriver, key: string, bytes: Uint8Array): Promise<void> {
    const head = await store.head(key, { signal });
    expect(head?.sizeBytes).toBe(bytes.length);
    expect([null, crcOf(bytes)]).toContain(head?.crc32);
  }

  inBench("nothing is found under a key that nobody used", async ({ store }, key) => {
    expect(await store.head(key, { signal })).toBeNull();
  });

  inBench("an object is there after its put, and replaced by the next", async (driver, key) => {
    await put(driver, key, bytesOf(1_000, 1));
    await expectStored(driver, key, bytesOf(1_000, 1));
    await put(driver, key, bytesOf(500, 2));
    await expectStored(driver, key, bytesOf(500, 2));
    await put(driver, key, new Uint8Array());
    await expectStored(driver, key, new Uint8Array());
  });

  inBench("the parts of an upload become one object when it is completed, and not before", async (driver, key) => {
    const pieces = [bytesOf(driver.partBytes, 1), bytesOf(driver.partBytes, 2), bytesOf(10, 3)] as const;
    const upload = await begin(driver, key);
    // Parts may arrive in any order.
    const last = await send(driver, upload, 3, pieces[2]);
    const first = await send(driver, upload, 1, pieces[0]);
    const middle = await send(driver, upload, 2, pieces[1]);
    expect(await driver.store.head(key, { signal })).toBeNull();
    const whole = Buffer.concat(pieces);
    await complete(driver, upload, [first, middle, last], whole);
    await expectStored(driver, key, whole);
  });

  inBench("a part that is sent again replaces the one before", async (driver, key) => {
    const upload = await begin(driver, key);
    await send(driver, upload, 1, bytesOf(700, 1));
    const again = await send(driver, upload, 1, bytesOf(900, 2));
    await complete(driver, upload, [again], bytesOf(900, 2));
    await expectStored(driver, key, bytesOf(900, 2));
  });

  inBench("a part is copied from a range of an object, with the CRC of its bytes", async (driver, key) => {
    const { store, partBytes, putSource, copies } = driver;
    const source = { key: `${key} +ü%20.bin`, bytes: bytesOf(2 * partBytes + 100, 5) };
    const from = { ...(await putSource(source.key, source.bytes)), key: source.key };
    const upload = await begin(driver, key);
    const copying = store.copyPart(upload, 1, { ...from, offset: 10, length: partBytes }, signal);
    if (!copies) return expect(await outcomeOf(copying)).toBe("UNSUPPORTED");
    const piece = source.bytes.subarray(10, 10 + partBytes);
    const { etag, crc32 } = await copying;
    expect(crc32).toBe(crcOf(piece));
    expect(await store.listParts(upload, { signal })).toEqual([
      { number: 1, etag, sizeBytes: partBytes, crc32: expect.toBeOneOf([null, crc32]) },
    ]);
    const last = await send(driver, upload, 2, bytesOf(10, 3));
    const whole = Buffer.concat([piece, bytesOf(10, 3)]);
    // A part that is not named is no part of the object.
    await store.copyPart(upload, 10_000, { ...from, offset: 0, length: 50 }, signal);
    await complete(driver, upload, [{ number: 1, etag, crc32 }, last], whole);
    await expectStored(driver, key, whole);
  });

  inBench("nothing is copied from an object that is another by now, or is not there", async (driver, key) => {
    const upload = await begin(driver, key);
    const sourceKey = `${key}.bin`;
    const before = await driver.putSource(sourceKey, bytesOf(100, 1));
    await driver.putSource(sourceKey, bytesOf(100, 2));
    const copy = (from: { bucket: string; key: string; etag: string }) =>
      outcomeOf(driver.store.copyPart(upload, 1, { ...from, offset: 0, length: 100 }, signal));
    expect(await copy({ ...before, key: sourceKey })).toBe("CONFLICT");
    expect(await copy({ ...before, key: `${key}.never` })).toBe("CONFLICT");
  });

  inBench("the parts of an upload are listed with the ETags that were given and their sizes", async (driver, key) => {
    const upload = await begin(driver, key);
    expect(await driver.store.listParts(upload, { signal })).toEqual([]);
    const second = await send(driver, upload, 2, bytesOf(600, 2));
    await send(driver, upload, 1, bytesOf(700, 1));
    const first = await send(driver, upload, 1, bytesOf(900, 3));
    const listed = await driver.store.listParts(upload, { signal });
    // A store may list what was replaced, and may list no checksum; the one that it lists is that of the part.
    expect(new Set(listed.map(({ number }) => number))).toEqual(new Set([1, 2]));
    const sizes = new Map([
      [first, 900],
      [second, 600],
    ]);
    for (const [{ number, etag, crc32 }, sizeBytes] of sizes) {
      expect(listed).toContainEqual({ number, etag, sizeBytes, crc32: expect.toBeOneOf([null, crc32]) });
    }
    await complete(driver, upload, [first], bytesOf(900, 3));
    expect(await outcomeOf(driver.store.listParts(upload, { signal }))).toBe("NOT_FOUND");
  });

  inBench("what was sent stays as it was sent, whatever becomes of the memory it came from", async (driver, key) => {
    const memory = Buffer.from(bytesOf(700, 1));
    const upload = await begin(driver, key);
    const part = await send(driver, upload, 1, memory.subarray(0, 600));
    memory.fill(0);
    await complete(driver, upload, [part], bytesOf(600, 1));
    await expectStored(driver, key, bytesOf(600, 1));
  });

  inBench(
    "completing with a part that was replaced meanwhile is refused, or takes one of the two",
    async (driver, key) => {
      const upload = await begin(driver, key);
      const old = await send(driver, upload, 1, bytesOf(700, 1));
      await send(driver, upload, 1, bytesOf(900, 2));
      // S3 compares ETags; SeaweedFS still has the part that is named. No caller may rely on either.
      if ((await outcomeOf(complete(driver, upload, [old], bytesOf(700, 1)))) === "REJECTED") {
        expect(await driver.store.head(key, { signal })).toBeNull();
      } else {
        expect([700, 900]).toContain((await driver.store.head(key, { signal }))?.sizeBytes);
      }
    },
  );

  inBench("an upload is not completed with a part that was never sent", async (driver, key) => {
    const upload = await begin(driver, key);
    const part = await send(driver, upload, 1, bytesOf(700, 1));
    const missing = { ...part, number: 2 };
    expect(await outcomeOf(complete(driver, upload, [part, missing], bytesOf(1_400, 1)))).toBe("REJECTED");
    expect(await driver.store.head(key, { signal })).toBeNull();
  });

  inBench("an upload that is completed is no upload any more, and its object stays", async (driver, key) => {
    const upload = await begin(driver, key);
    const part = await send(driver, upload, 1, bytesOf(700, 1));
    await complete(driver, upload, [part], bytesOf(700, 1));
    expect(await outcomeOf(send(driver, upload, 2, bytesOf(10, 2)))).toBe("NOT_FOUND");
    await expectStored(driver, key, bytesOf(700, 1));
  });

  inBench("completing twice leaves the one object, whatever the second call says", async (driver, key) => {
    const upload = await begin(driver, key);
    const part = await send(driver, upload, 1, bytesOf(700, 1));
    await complete(driver, upload, [part], bytesOf(700, 1));
    // S3 answers a repeated Complete like the first for a while; others say that there is no such upload.
    expect(["done", "NOT_FOUND"]).toContain(await outcomeOf(complete(driver, upload, [part], bytesOf(700, 1))));
    await expectStored(driver, key, bytesOf(700, 1));
  });

  inBench("there is no upload that nobody began", async (driver, key) => {
    const begun = await begin(driver, key);
    const part = await send(driver, begun, 1, bytesOf(700, 1));
    const other = { key: `${key}-2`, id: begun.id };
    expect(await outcomeOf(send(driver, other, 1, bytesOf(700, 1)))).toBe("NOT_FOUND");
    expect(await outcomeOf(complete(driver, other, [part], bytesOf(700, 1)))).toBe("NOT_FOUND");
  });

  inBench("a call whose signal is aborted fails as aborted and does nothing", async (driver, key) => {
    const aborted = AbortSignal.abort();
    const options = { contentType: CONTENT_TYPE, crc32: crcOf(new Uint8Array(9)), signal: aborted };
    expect(await outcomeOf(driver.store.put(key, new Uint8Array(9), options))).toBe("ABORTED");
    expect(await driver.store.head(key, { signal })).toBeNull();
  });
}
