import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32FromHex, crc32Hex } from "./crc32.ts";
import { type Layout, layout, plainLayout } from "./layout.ts";
import { manifestEntry } from "./manifest.ts";
import type { ArchiveProgress, EntryReader, Part } from "./ports.ts";
import { archiveBytes, writeArchive } from "./stream.ts";
import { collect, never, nextTurn, options, sourcesOf } from "./testing/kept-parts.ts";
import { entryOf, piecesOf, readerOf, type TestSource } from "./testing/sources.ts";
import { centralEntry, endRecords, localHeader } from "./zip-bytes.ts";

/** The archive as one would write it who has all bytes at hand. */
function expected(sources: readonly TestSource[], plan: Layout): Buffer {
  const headers = sources.map((source) => {
    const known = entryOf(source, true);
    return { ...known, crc32: crc32FromHex(known.crc32 ?? "") };
  });
  const directory = headers.map((header, i) => centralEntry(header, plan.places[i]?.headerOffset ?? 0));
  const end = { entries: sources.length, offset: plan.directoryOffset, sizeBytes: plan.directorySizeBytes };
  return Buffer.concat([
    ...headers.flatMap((header, i) => [localHeader(header), ...piecesOf(sources[i] as TestSource)]),
    ...directory,
    endRecords(end),
  ]);
}

test("whatever the sizes, the parts, the pieces, the CRCs known and the order of uploads: the same bytes", async () => {
  const scene = fc.record({
    files: fc.array(fc.record({ sizeBytes: fc.integer({ min: 0, max: 400 }), known: fc.boolean() }), { maxLength: 12 }),
    partSize: fc.integer({ min: 5, max: 500 }),
    pieceBytes: fc.integer({ min: 1, max: 300 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    delays: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ files, partSize, pieceBytes, concurrency, delays }) => {
      const sources = sourcesOf(files.map((file) => file.sizeBytes));
      const plan = layout(sources.map((source, i) => entryOf(source, files[i]?.known ?? true)));
      const sink = collect(delays);
      const written = await writeArchive(plan, {
        ...options(sink, readerOf(sources, pieceBytes)),
        partSize,
        concurrency,
      });
      const bytes = sink.bytes();
      expect(bytes.equals(expected(sources, plan))).toBe(true);
      expect(written).toEqual({ sizeBytes: bytes.length, crc32: crc32Hex(crc32(bytes)) });
      expect(sink.mostAtOnce).toBeLessThanOrEqual(concurrency);
    }),
    { numRuns: 300 },
  );
});

test("no more memory is used than the buffers: each part comes in one of concurrency + 1", async () => {
  const memory = new Set<ArrayBufferLike>();
  const sources = sourcesOf([3000]);
  const sink = {
    async upload(part: Part) {
      memory.add(part.bytes.buffer);
      await nextTurn();
    },
  };
  await writeArchive(layout(sources.map((s) => entryOf(s, true))), { ...options(sink, readerOf(sources)) });
  expect(memory.size).toBe(3);
});

test("the manifest holds the CRCs of the entries, known before or not", async () => {
  const sources = sourcesOf([100, 0]);
  const files = sources.map((source, i) => ({ ...entryOf(source, false), fileId: 10_000 + i }));
  const manifest = manifestEntry(files, [{ fileId: 10_002, code: "PERMISSION_DENIED" }]);
  const of = (known: boolean) => layout([...sources.map((source) => entryOf(source, known)), manifest]);
  const written = await archiveBytes(of(false), { reader: readerOf(sources), signal: never });
  const text = Buffer.from(written.bytes).toString();
  expect(text).toContain(`"sizeBytes":100,"crc32":"${entryOf(sources[0] as TestSource, true).crc32}"`);
  expect(text).toContain('"sizeBytes":0,"crc32":"00000000"');
  expect(written.crc32).toBe(crc32Hex(crc32(written.bytes)));
  const again = await archiveBytes(of(true), { reader: readerOf(sources), signal: never });
  expect(again.bytes).toEqual(written.bytes);
});

test("progress only rises, and ends with everything", async () => {
  const sources = sourcesOf([100, 0, 300]);
  const plan = layout(sources.map((source) => entryOf(source, false)));
  const seen: ArchiveProgress[] = [];
  await writeArchive(plan, { ...options(collect(), readerOf(sources, 50)), onProgress: (p) => seen.push(p) });
  for (const [i, now] of seen.entries()) {
    const before = seen[i - 1] ?? now;
    expect(now.bytesMoved).toBeGreaterThanOrEqual(before.bytesMoved);
    expect(now.entriesDone).toBeGreaterThanOrEqual(before.entriesDone);
  }
  expect(seen.at(-1)).toEqual({ entriesDone: 3, bytesDone: 400, bytesMoved: 400 });
});

test("the next entry is asked for its first piece while the one before it is read, and only the next", async () => {
  const events: string[] = [];
  const reader: EntryReader = {
    async *open(_entry, index) {
      events.push(`ask ${index}`);
      await nextTurn();
      yield Buffer.alloc(10);
      events.push(`end ${index}`);
    },
  };
  await writeArchive(layout(sourcesOf([10, 10, 10]).map((s) => entryOf(s, false))), options(collect(), reader));
  expect(events).toEqual(["ask 0", "ask 1", "end 0", "ask 2", "end 1", "end 2"]);
});

test.each([
  [0, 1, true],
  [0, 1, false],
  [1, 1, false],
  [1_000, 100, true],
  [1_001, 100, false],
  [99, 100, false],
])(
  "a plain file of %i bytes in parts of %i is the file and nothing else (CRC known: %s)",
  async (sizeBytes, partSize, known) => {
    const source = { name: "file.bin", sizeBytes, seed: 7 };
    const sink = collect([2, 0, 1]);
    const plan = plainLayout(entryOf(source, known));
    const written = await writeArchive(plan, {
      reader: readerOf([source]),
      sink,
      partSize,
      concurrency: 2,
      signal: never,
    });
    const bytes = Buffer.concat([...piecesOf(source)]);
    expect(sink.bytes()).toEqual(bytes);
    expect(written).toEqual({ sizeBytes, crc32: crc32Hex(crc32(bytes)) });
  },
);
