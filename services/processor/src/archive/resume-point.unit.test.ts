import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ArchiveEntry } from "./archive-entry.ts";
import { type Layout, layout, plainLayout } from "./layout.ts";
import { manifestEntry } from "./manifest.ts";
import { partBytes } from "./parts.ts";
import type { EntryReader, Part } from "./ports.ts";
import { cursorOf, FROM_THE_START, resumePoint, type StandingPart } from "./resume-point.ts";
import { type WriteOptions, writeArchive } from "./stream.ts";
import { entryOf, readerOf, type TestSource } from "./testing/sources.ts";

const { signal } = new AbortController();

type Kept = Part & { bytes: Buffer };

/** Writes an archive, or what is left of it, and keeps the parts that were sent. */
async function write(
  plan: Layout,
  reader: EntryReader,
  options: Pick<WriteOptions, "partSize" | "concurrency" | "from">,
) {
  const parts: Kept[] = [];
  const sink = { upload: async (part: Part) => void parts.push({ ...part, bytes: Buffer.from(part.bytes) }) };
  const written = await writeArchive(plan, { reader, sink, signal, ...options });
  return { written, parts };
}

const wholeOf = (parts: readonly Kept[]): Buffer =>
  Buffer.concat(parts.toSorted((a, b) => a.number - b.number).map((part) => part.bytes));

/** Reads that count: bytes given of each entry. */
function counted(reader: EntryReader) {
  const given = new Map<number, number>();
  const open: EntryReader["open"] = async function* (entry, index, offset, stop) {
    for await (const piece of reader.open(entry, index, offset, stop)) {
      given.set(index, (given.get(index) ?? 0) + piece.length);
      yield piece;
    }
  };
  return { given, open };
}

const scenes = fc.record({
  files: fc.array(fc.record({ sizeBytes: fc.integer({ min: 0, max: 900 }), known: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  }),
  manifest: fc.boolean(),
  partSize: fc.integer({ min: 3, max: 400 }),
  pieceBytes: fc.integer({ min: 1, max: 300 }),
  standing: fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
  loss: fc.integer({ min: 0, max: 3 }),
});

test("whichever parts stand, the rest gives the same archive, and none of those kept is sent again", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ files, manifest, partSize, pieceBytes, standing, loss }) => {
      const sources: TestSource[] = files.map(({ sizeBytes }, seed) => ({ name: `file-${seed}`, sizeBytes, seed }));
      const entries: ArchiveEntry[] = sources.map((source, i) => entryOf(source, files[i]?.known ?? true));
      const listed = entries.map((entry, i) => ({ ...entry, fileId: i }));
      if (manifest) entries.push(manifestEntry(listed, [{ fileId: 99, code: "FILE_NOT_FOUND" }]));
      const plan = layout(entries);
      const reader = readerOf(sources, pieceBytes);
      const undisturbed = await write(plan, reader, { partSize, concurrency: 2 });

      const stood = undisturbed.parts.filter(() => (standing.next().value as number) >= loss);
      const from = resumePoint(plan, partSize, stood);
      const resumed = await write(plan, reader, { partSize, concurrency: 2, from });

      expect(resumed.written).toEqual(undisturbed.written);
      const kept = new Set(from.standing.map(({ number }) => number));
      expect(resumed.parts.filter(({ number }) => kept.has(number))).toEqual([]);
      const all = [...undisturbed.parts.filter(({ number }) => kept.has(number)), ...resumed.parts];
      expect(wholeOf(all).equals(wholeOf(undisturbed.parts))).toBe(true);
      const facts = (part: Part): StandingPart => ({ ...part, bytes: undefined }) as StandingPart;
      const before = new Map(undisturbed.parts.map((part) => [part.number, part]));
      for (const part of resumed.parts) expect(facts(part)).toEqual(facts(before.get(part.number) as Part));
    }),
    { numRuns: 400 },
  );
});

describe("an archive of 10 parts with one large entry whose source tells no CRC", () => {
  const PART = 1_000;
  const source = { name: "large.bin", sizeBytes: 9_500, seed: 1 };
  const plan = layout([entryOf(source, false)]);
  const reader = readerOf([source], 300);
  const undisturbed = () => write(plan, reader, { partSize: PART, concurrency: 2 });

  test("is written on behind the part that was held back, and of the source only the rest is read", async () => {
    const { parts, written } = await undisturbed();
    const stood = parts.filter(({ number }) => number > 1 && number <= 7);
    const from = resumePoint(plan, PART, stood);
    expect(from).toMatchObject({ offset: 0, jump: { from: PART, to: 7 * PART } });
    expect(from.standing.map(({ number }) => number)).toEqual([2, 3, 4, 5, 6, 7]);
    const header = plan.places[0]?.dataOffset ?? 0;
    expect(cursorOf(plan, from)).toMatchObject({ entry: 0, offset: 7 * PART - header });

    const counting = counted(reader);
    const resumed = await write(plan, counting, { partSize: PART, concurrency: 2, from });
    expect(resumed.written).toEqual(written);
    expect(resumed.parts.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([1, 8, 9, 10]);
    // A piece that goes beyond the held part was read for nothing.
    expect(counting.given.get(0)).toBeLessThanOrEqual(9_500 - 6 * PART + 300);
  });

  test("of a part that is missing later nothing behind it is kept", async () => {
    const { parts } = await undisturbed();
    const from = resumePoint(
      plan,
      PART,
      parts.filter(({ number }) => number !== 1 && number !== 4),
    );
    expect(from.standing.map(({ number }) => number)).toEqual([2, 3]);
  });

  test("of a part in the middle that is missing nothing behind it is kept when the first stands", async () => {
    const { parts } = await undisturbed();
    const from = resumePoint(
      plan,
      PART,
      parts.filter(({ number }) => number !== 4),
    );
    expect(from).toMatchObject({ offset: 3 * PART, jump: null });
    expect(from.standing.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  test("with all its parts is only to be completed", async () => {
    const { parts, written } = await undisturbed();
    const from = resumePoint(plan, PART, parts);
    const counting = counted(reader);
    const resumed = await write(plan, counting, { partSize: PART, concurrency: 2, from });
    expect(resumed).toEqual({ written, parts: [] });
    expect(counting.given.size).toBe(0);
  });

  test("whose source gives other bytes than those that stand is refused", async () => {
    const { parts } = await undisturbed();
    const from = resumePoint(
      plan,
      PART,
      parts.filter(({ number }) => number <= 5),
    );
    const other = readerOf([{ ...source, seed: 2 }]);
    await expect(write(plan, other, { partSize: PART, concurrency: 1, from })).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
  });
});

test("a plain file goes on where it stopped", async () => {
  const source = { name: "file.bin", sizeBytes: 2_500, seed: 3 };
  const plan = plainLayout(entryOf(source, false));
  const reader = readerOf([source]);
  const { parts, written } = await write(plan, reader, { partSize: 1_000, concurrency: 1 });
  const from = resumePoint(plan, 1_000, parts.slice(0, 2));
  const counting = counted(reader);
  const resumed = await write(plan, counting, { partSize: 1_000, concurrency: 1, from });
  expect(resumed.written).toEqual(written);
  expect(counting.given.get(0)).toBe(500);
});

test("a plain file of which every part stands is only to be completed", async () => {
  const source = { name: "file.bin", sizeBytes: 2_500, seed: 3 };
  const plan = plainLayout(entryOf(source, false));
  const { parts, written } = await write(plan, readerOf([source]), { partSize: 1_000, concurrency: 1 });
  const from = resumePoint(plan, 1_000, parts);
  expect(await write(plan, readerOf([source]), { partSize: 1_000, concurrency: 1, from })).toEqual({
    written,
    parts: [],
  });
});

test("nothing stands: everything is to be written", () => {
  const plan = layout([entryOf({ name: "a", sizeBytes: 10, seed: 1 }, false)]);
  expect(resumePoint(plan, 5, [])).toEqual(FROM_THE_START);
  expect(cursorOf(plan, FROM_THE_START)).toEqual({ entry: 0, offset: 0, crc: "00000000" });
  expect(partBytes(plan, 1, 5)).toBe(5);
});
