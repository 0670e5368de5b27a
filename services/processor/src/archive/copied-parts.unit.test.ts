import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32Hex } from "./crc32.ts";
import { type Layout, layout, plainLayout } from "./layout.ts";
import type { EntryPart, Part, PartCopier } from "./ports.ts";
import { resumePoint, type StandingPart } from "./resume-point.ts";
import { type WriteOptions, writeArchive } from "./stream.ts";
import { entryOf, piecesOf, readerOf, type TestSource } from "./testing/sources.ts";

const { signal } = new AbortController();
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

type Kept = Part & { isCopy: boolean };

/** A store that has the sources: what it was sent and what it copied, each copy after some turns of the event loop. */
function storeOf(sources: readonly TestSource[], canCopy: (index: number) => boolean, turns = 0) {
  const parts: Kept[] = [];
  const told: number[] = [];
  const bytesOf = ({ index, offset, length }: EntryPart) =>
    Buffer.concat([...piecesOf(sources[index] as TestSource, undefined, offset)]).subarray(0, length);
  const copies = new Map<number, Buffer>();
  const copier: PartCopier = {
    canCopy: async (index) => canCopy(index),
    async copy(part) {
      for (let turn = 0; turn < (turns * part.number) % 5; turn += 1) await nextTurn();
      const bytes = bytesOf(part);
      copies.set(part.number, bytes);
      return { etag: `"${part.number}"`, crc32: crc32Hex(crc32(bytes)) };
    },
    onCopied({ length, ...part }, etag) {
      const bytes = copies.get(part.number) ?? Buffer.alloc(0);
      expect([etag, bytes.length]).toEqual([`"${part.number}"`, length]);
      told.push(part.number);
      parts.push({ ...part, bytes, isCopy: true });
    },
  };
  const sink = {
    upload: async (part: Part) => void parts.push({ ...part, bytes: Buffer.from(part.bytes), isCopy: false }),
  };
  return { parts, told, copier, sink };
}

async function write(
  plan: Layout,
  sources: readonly TestSource[],
  {
    canCopy = () => false,
    ...options
  }: Pick<WriteOptions, "partSize" | "from"> & { canCopy?: (index: number) => boolean },
) {
  const store = storeOf(sources, canCopy, 3);
  const reader = readerOf(sources, 300);
  const { sink, copier } = store;
  const written = await writeArchive(plan, { reader, sink, copier, signal, concurrency: 3, ...options });
  return { ...store, written };
}

const facts = ({ number, crc32: crc, crcSoFar, foundCrc32s, bytes }: Part) => ({
  ...{ number, crc32: crc, crcSoFar, foundCrc32s },
  bytes: Buffer.from(bytes).toString("hex"),
});
const allFacts = (parts: readonly Part[]) => parts.toSorted((a, b) => a.number - b.number).map(facts);

const scenes = fc.record({
  files: fc.array(
    fc.record({ sizeBytes: fc.integer({ min: 0, max: 900 }), known: fc.boolean(), copied: fc.boolean() }),
    { minLength: 1, maxLength: 8 },
  ),
  partSize: fc.integer({ min: 3, max: 400 }),
  standing: fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
  loss: fc.integer({ min: 0, max: 3 }),
});

test("whichever entries are copied, and whichever parts stand: the parts of an archive that was only read", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ files, partSize, standing, loss }) => {
      const sources = files.map(({ sizeBytes }, seed) => ({ name: `file-${seed}`, sizeBytes, seed }));
      const plan = layout(sources.map((source, i) => entryOf(source, files[i]?.known ?? true)));
      const canCopy = (index: number) => files[index]?.copied ?? false;
      const read = await write(plan, sources, { partSize });

      const copied = await write(plan, sources, { partSize, canCopy });
      expect(copied.written).toEqual(read.written);
      expect(allFacts(copied.parts)).toEqual(allFacts(read.parts));
      expect(copied.told).toEqual(copied.told.toSorted((a, b) => a - b));

      const stood: StandingPart[] = copied.parts.filter(() => (standing.next().value as number) >= loss);
      const from = resumePoint(plan, partSize, stood);
      const resumed = await write(plan, sources, { partSize, canCopy, from });
      expect(resumed.written).toEqual(read.written);
      const kept = new Set(from.standing.map(({ number }) => number));
      const rest = allFacts(read.parts).filter(({ number }) => !kept.has(number));
      expect(allFacts(resumed.parts)).toEqual(rest);
    }),
    { numRuns: 300 },
  );
});

test("of an entry that is copied only what shares a part with something else is read", async () => {
  const sources = [
    { name: "large.bin", sizeBytes: 9_500, seed: 1 },
    { name: "next.bin", sizeBytes: 100, seed: 2 },
  ];
  const plan = layout(sources.map((source) => entryOf(source, false)));
  const { parts } = await write(plan, sources, { partSize: 1_000, canCopy: (index) => index === 0 });
  const numbers = (isCopy: boolean) => parts.filter((part) => part.isCopy === isCopy).map(({ number }) => number);
  expect(numbers(true)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  expect(numbers(false)).toEqual([1, 10]);
});

test("a plain file of whole parts is copied without being opened", async () => {
  const source = { name: "file.bin", sizeBytes: 3_000, seed: 3 };
  const { sink, copier, parts } = storeOf([source], () => true);
  const reader = {
    open: () => {
      throw new Error("opened");
    },
  };
  const plan = plainLayout(entryOf(source, true));
  await writeArchive(plan, { reader, sink, copier, signal, partSize: 1_000, concurrency: 2 });
  expect(parts.map(({ isCopy }) => isCopy)).toEqual([true, true, true]);
});

test("the store's other bytes are found by the entry's CRC", async () => {
  const source = { name: "file.bin", sizeBytes: 3_000, seed: 3 };
  const { sink, copier } = storeOf([{ ...source, seed: 4 }], () => true);
  const options = { reader: readerOf([source]), sink, copier, signal, partSize: 1_000, concurrency: 2 };
  const writing = writeArchive(layout([entryOf(source, true)]), options);
  await expect(writing).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH", entry: 0 });
});

test("a copy that fails ends the archive with its error, also while others are still to be made", async () => {
  const source = { name: "file.bin", sizeBytes: 9_000, seed: 3 };
  const refused = new Error("500");
  const { sink, copier, told } = storeOf([source], () => true);
  const failing: PartCopier = {
    ...copier,
    copy: (part, until) => (part.number === 3 ? Promise.reject(refused) : copier.copy(part, until)),
  };
  const options = { reader: readerOf([source]), sink, copier: failing, signal, partSize: 1_000, concurrency: 2 };
  await expect(writeArchive(plainLayout(entryOf(source, false)), options)).rejects.toBe(refused);
  expect(told.every((number) => number < 3)).toBe(true);
});

test("copies that end after an abort are told, in their order, before the writing ends", async () => {
  const source = { name: "file.bin", sizeBytes: 9_000, seed: 3 };
  const { sink, copier, told } = storeOf([source], () => true);
  const stop = new AbortController();
  const gates = Array.from({ length: 9 }, () => Promise.withResolvers<void>());
  const slow: PartCopier = {
    ...copier,
    async copy(part, until) {
      await gates[part.number - 1]?.promise;
      return await copier.copy(part, until);
    },
  };
  const options = { reader: readerOf([source]), sink, copier: slow, partSize: 1_000, concurrency: 3 };
  const writing = writeArchive(plainLayout(entryOf(source, false)), { ...options, signal: stop.signal });
  gates[1]?.resolve();
  await nextTurn();
  stop.abort(new Error("enough"));
  for (const i of [2, 0, 3]) gates[i]?.resolve();
  await expect(writing).rejects.toThrow("enough");
  expect(told).toEqual([1, 2, 3, 4]);
});
