import type { PayloadRef } from "@longhaul/contracts";
import type { Objects } from "@longhaul/objects";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openObjects } from "../../../../tests/support/objects.ts";
import { Rehearsal } from "../../../../tests/support/rehearsal.ts";
import type { Moment } from "../../../../tests/support/run-calls.ts";

/** Every list but that of the request lies beside the record. */
const BESIDE = { inlineMaxBytes: { fileIds: 1_000, plan: 0, parts: 0, exceptions: 0 } };
const PARTS_NAMED: Moment = { at: "checkpoint", nth: 2, when: "after" };
const SEALED: Moment = { at: "seal", nth: 1, when: "after" };

let objects: Objects;
let undisturbed: { sha256: string; bytes: number; files: number };

beforeAll(async () => {
  objects = openObjects(inject("s3"));
  const rehearsal = new Rehearsal(objects);
  const sha256 = await rehearsal.sha256(await rehearsal.run());
  const { bytesSent: bytes, filesFound: files } = rehearsal.done;
  undisturbed = { sha256, bytes, files };
});
afterAll(() => objects?.close());

type Loss = { what: string; befall(key: string): Promise<unknown> };
const LOSSES: Loss[] = [
  { what: "lost", befall: (key) => objects.results.delete(key, { signal: new AbortController().signal }) },
  {
    what: "damaged",
    befall: (key) => objects.results.put(key, Buffer.from("[]"), { sizeBytes: 2, contentType: "application/json" }),
  },
];

function refIn(list: unknown): PayloadRef {
  if (typeof list === "object" && list !== null && "ref" in list && list.ref) return list.ref as PayloadRef;
  throw new Error("the list lies in the record");
}

/** Runs to the end. All is made again, and the bytes are the same. */
async function expectAllAgain(rehearsal: Rehearsal): Promise<void> {
  const { key } = rehearsal.upload;
  const completion = await rehearsal.run();
  expect(completion?.result.key).not.toBe(key);
  expect(rehearsal.done.bytesSent).toBe(undisturbed.bytes);
  expect(await rehearsal.sha256(completion)).toBe(undisturbed.sha256);
}

test.each(LOSSES)("an upload whose list of parts is $what begins anew", async ({ befall }) => {
  const rehearsal = new Rehearsal(objects, BESIDE);
  await rehearsal.run(PARTS_NAMED);
  await befall(refIn(rehearsal.record.checkpoint?.parts).key);
  await expectAllAgain(rehearsal);
  expect(rehearsal.done.filesFound).toBe(0);
});

test("a sealed upload whose list of parts is lost begins anew", async () => {
  const rehearsal = new Rehearsal(objects, BESIDE);
  await rehearsal.run(SEALED);
  await LOSSES[0]?.befall(refIn(rehearsal.record.checkpoint?.sealed?.parts).key);
  await expectAllAgain(rehearsal);
});

test.each(LOSSES)("files whose plan is $what are looked up again, and no part of it is kept", async ({ befall }) => {
  const rehearsal = new Rehearsal(objects, BESIDE);
  await rehearsal.run(PARTS_NAMED);
  const { plan, outcomes } = rehearsal.record;
  await befall(refIn(plan).key);
  await expectAllAgain(rehearsal);
  expect(rehearsal.done.filesFound).toBe(undisturbed.files);
  expect(refIn(rehearsal.record.plan).key).not.toBe(refIn(plan).key);
  expect(refIn(rehearsal.record.outcomes?.exceptions).key).not.toBe(refIn(outcomes?.exceptions).key);
});

test("a run that dies just after it has planned anew leaves nothing of the lost plan", async () => {
  const rehearsal = new Rehearsal(objects, BESIDE);
  await rehearsal.run(SEALED);
  const { key } = rehearsal.upload;
  await LOSSES[0]?.befall(refIn(rehearsal.record.plan).key);
  expect(await rehearsal.run({ at: "checkpoint", nth: 1, when: "after" })).toBeNull();
  const { checkpoint, outcomes } = rehearsal.record;
  expect({ checkpoint, outcomes }).toMatchObject({
    checkpoint: { upload: { id: null }, parts: [], sealed: null },
    outcomes: null,
  });
  expect(checkpoint?.upload.key).not.toBe(key);
  const completion = await rehearsal.run();
  expect(rehearsal.done).toMatchObject({ filesFound: 0, bytesSent: undisturbed.bytes });
  expect(await rehearsal.sha256(completion)).toBe(undisturbed.sha256);
});
