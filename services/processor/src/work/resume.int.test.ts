import { crc32 } from "node:zlib";
import type { UploadedPart } from "@longhaul/contracts";
import { type Objects, ObjectsError } from "@longhaul/objects";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openObjects } from "../../../../tests/support/objects.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../../../../tests/support/own-s3.ts";
import { FILE_BYTES, Rehearsal, type StoredFiles, storeFiles } from "../../../../tests/support/rehearsal.ts";
import type { Moment } from "../../../../tests/support/run-calls.ts";
import { crc32Hex } from "../archive/crc32.ts";
import { PART_MIN_BYTES } from "../archive/part-size.ts";
import type { Completion } from "../job/run.ts";
import { ShuttingDown } from "../job/run-lost.ts";
import { createResultStore } from "../result-store.ts";

const PATIENCE_MS = 60_000;
const { signal } = new AbortController();

type Death = Moment & { what: string };
/** While parts are made, in whichever way. */
const DEATHS_AMONG_PARTS: Death[] = [
  { what: "after a part that no checkpoint names", at: "part", nth: 2, when: "after" },
  { what: "before a checkpoint of parts", at: "checkpoint", nth: 2, when: "before" },
  { what: "after a checkpoint of parts", at: "checkpoint", nth: 2, when: "after" },
  { what: "in the middle", at: "part", nth: 3, when: "before" },
  { what: "after a later checkpoint", at: "checkpoint", nth: 3, when: "after" },
  { what: "before its seal", at: "seal", nth: 1, when: "before" },
];
const OTHER_DEATHS: Death[] = [
  { what: "when its plan is kept", at: "plan", nth: 1, when: "after" },
  { what: "before its upload is begun", at: "create upload", nth: 1, when: "before" },
  { what: "when its upload is begun but not named", at: "create upload", nth: 1, when: "after" },
  { what: "when its upload is named", at: "checkpoint", nth: 1, when: "after" },
  { what: "after its seal, before it is completed", at: "seal", nth: 1, when: "after" },
  { what: "when it is completed but has no answer", at: "complete", nth: 1, when: "after" },
  { what: "when it is completed and looked at", at: "head", nth: 1, when: "after" },
];

/** What can become of an upload while nobody works on it. */
const LOSSES: { what: string; after: Moment; befall(rehearsal: Rehearsal, objects: Objects): Promise<void> }[] = [
  {
    what: "is gone",
    after: { at: "checkpoint", nth: 3, when: "after" },
    befall: ({ upload }, { results }) => results.uploads.abort(upload, signal),
  },
  {
    what: "is another by now",
    after: { at: "checkpoint", nth: 3, when: "after" },
    async befall({ record, upload: { key } }, { results }) {
      const id = await results.uploads.create(key, { contentType: "application/zip", signal });
      if (record.checkpoint) record.checkpoint.upload.id = id;
    },
  },
  {
    what: "is sealed and gone",
    after: { at: "seal", nth: 1, when: "after" },
    befall: ({ upload }, { results }) => results.uploads.abort(upload, signal),
  },
];

const WAYS = [
  { way: "whose files are read", copies: false },
  { way: "whose large file is copied by the store", copies: true },
];

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(implementation, { timeout: PATIENCE_MS }, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let s3: OwnS3;
    let objects: Objects;
    let stored: StoredFiles;
    let undisturbed: { completion: Completion | null; sha256: string; bytes: number };

    beforeAll(async () => {
      if (!server) return;
      s3 = await startS3(server);
      objects = openObjects(s3);
      stored = await storeFiles(objects);
      const job = new Rehearsal(objects);
      const completion = await job.run();
      undisturbed = { completion, sha256: await job.sha256(completion), bytes: job.done.bytesSent };
    }, PATIENCE_MS);
    afterAll(async () => {
      objects?.close();
      await s3?.remove();
    });

    /** Of these parts of the archive. */
    const bytesOf = (parts: readonly UploadedPart[]) =>
      parts.reduce((sum, [number]) => {
        return sum + Math.min(PART_MIN_BYTES, undisturbed.bytes - (number - 1) * PART_MIN_BYTES);
      }, 0);

    const bytesMade = ({ done: { bytesSent, bytesCopied } }: Rehearsal) => bytesSent + bytesCopied;

    async function expectSame(job: Rehearsal, completion: Completion | null): Promise<void> {
      const { filename: _, key: __, expiresAt: ___, ...result } = completion?.result ?? {};
      expect(undisturbed.completion?.result).toMatchObject(result);
      expect(await job.sha256(completion)).toBe(undisturbed.sha256);
      // Disks of test machines are small.
      await objects.results.delete(completion?.result.key ?? "", { signal });
    }

    /** Runs to the end, with all parts that the record does not name and with no other. */
    async function expectResumed(job: Rehearsal): Promise<void> {
      const { named, record } = job;
      const completion = await job.run();
      const { bytesRead } = job.done;
      expect(bytesMade(job)).toBe(undisturbed.bytes - bytesOf(named));
      if (record.checkpoint?.sealed) expect(bytesRead).toBe(0);
      else if (named.length > 0) expect(bytesRead).toBeLessThan(FILE_BYTES);
      expect(job.usage.bytesRead).toBe(record.usage.bytesRead + bytesRead);
      await expectSame(job, completion);
    }

    describe.each(WAYS)("an archive $way", ({ copies }) => {
      const newJob = () => new Rehearsal(objects, copies ? { stored } : {});

      test.each(DEATHS_AMONG_PARTS)("that dies $what goes on from what is safe, with the same bytes", async (death) => {
        const job = newJob();
        expect(await job.run(death)).toBeNull();
        const copied = job.done.bytesCopied;
        await expectResumed(job);
        expect(copied + job.done.bytesCopied > 0).toBe(copies);
      });

      test("that dies again and again is made to its end, and each run adds to it", async () => {
        const job = newJob();
        let completion: Completion | null = null;
        let runs = 0;
        for (; completion === null && runs < 10; runs++) {
          completion = await job.run({ at: "checkpoint", nth: runs === 0 ? 2 : 1, when: "after" });
          if (completion === null) expect(job.record.crashes).toBe(0);
        }
        await expectSame(job, completion);
        expect(runs).toBeGreaterThan(2);
      });

      test("that is handed back goes on without a finished part made twice", async () => {
        const job = newJob();
        const stop = new AbortController();
        const shutDown = () => stop.abort(new ShuttingDown());
        const running = job.run({ at: "part", nth: 3, when: "before" }, shutDown, stop.signal);
        await expect(running).rejects.toThrow(ShuttingDown);
        // The parts that were on their way had the time to come to their end.
        expect(bytesOf(job.named)).toBe(bytesMade(job));
        job.handBack();
        await expectResumed(job);
      });

      test("keeps of the parts that are stored none that its checkpoint does not name", async () => {
        const job = newJob();
        await job.run({ at: "checkpoint", nth: 2, when: "after" });
        const others = Buffer.alloc(PART_MIN_BYTES, 7);
        const part = { number: 4, bytes: others, crc32: crc32Hex(crc32(others)) };
        await createResultStore(objects.results).uploadPart(job.upload, part, signal);
        await expectResumed(job);
      });
    });

    test.each(OTHER_DEATHS)("an archive that dies $what is made to its end, with the same bytes", async (death) => {
      const job = new Rehearsal(objects);
      expect(await job.run(death)).toBeNull();
      await expectResumed(job);
    });

    test.each(LOSSES)("an archive whose upload $what begins anew, under another key", async ({ after, befall }) => {
      const job = new Rehearsal(objects);
      await job.run(after);
      const { upload, named } = job;
      expect(named.length).toBeGreaterThan(0);
      await befall(job, objects);
      const completion = await job.run();
      expect(completion?.result.key).not.toBe(upload.key);
      expect(bytesMade(job)).toBe(undisturbed.bytes);
      await expectSame(job, completion);
    });

    test("a sealed archive of which Complete gives no object begins anew, under another key", async () => {
      const job = new Rehearsal(objects);
      await job.run({ at: "seal", nth: 1, when: "after" });
      const { key } = job.upload;
      const vanish = () => objects.results.delete(key, { signal });
      const completion = await job.run({ at: "complete", nth: 1, when: "after" }, vanish);
      expect(completion?.result.key).not.toBe(key);
      await expectSame(job, completion);
    });

    test.each(["just sealed", "sealed by an earlier run"])(
      "an archive that is %s waits for a store which is away when it is to be completed",
      async (sealed) => {
        const job = new Rehearsal(objects);
        if (sealed !== "just sealed") await job.run({ at: "seal", nth: 1, when: "after" });
        const refused = () => {
          throw new ObjectsError("the breaker is open", { code: "BREAKER_OPEN", retryAfterMs: 700 });
        };
        const running = job.run({ at: "complete", nth: 1, when: "before" }, refused);
        await expect(running).rejects.toMatchObject({ waitsFor: "storage", retryAfterMs: 700 });
        await expectResumed(job);
      },
    );
  });
}
