import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ArchiveEntry } from "./archive-entry.ts";
import { crc32FromHex, crc32Hex } from "./crc32.ts";
import { type Layout, layout, plainLayout } from "./layout.ts";
import { manifestEntry } from "./manifest.ts";
import type { ArchiveProgress, EntryReader, Part } from "./ports.ts";
import { archiveBytes, type WriteOptions, writeArchive } from "./stream.ts";
import { entryOf, piecesOf, readerOf, type TestSource } from "./testing/sources.ts";
import { centralEntry, endRecords, localHeader } from "./zip-bytes.ts";

const never = new AbortController().signal;
const sourcesOf = (sizes: readonly number[]): TestSource[] =>
  sizes.map((sizeBytes, seed) => ({ name: `file-${seed}.bin`, sizeBytes, seed }));

/** Keeps copies of the parts, each after as many turns of the event loop as `delays` says. */
function collect(delays: readonly number[] = [0]) {
  const parts: Part[] = [];
  let running = 0;
  let mostAtOnce = 0;
  return {
    get mostAtOnce() {
      return mostAtOnce;
    },
    get running() {
      return running;
    },
    get lastNumber() {
      return Math.max(...parts.map((part) => part.number));
    },
    /** The archive, if the parts are whole and each came once. */
    bytes() {
      const sorted = parts.toSorted((a, b) => a.number - b.number);
      expect(sorted.map((part) => part.number)).toEqual(sorted.map((_, i) => i + 1));
      return Buffer.concat(sorted.map((part) => part.bytes));
    },
    async upload(part: Part) {
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      for (let turn = 0; turn < (delays[part.number % delays.length] ?? 0); turn += 1) await nextTurn();
      expect(crc32Hex(crc32(part.bytes))).toBe(part.crc32);
      parts.push({ ...part, bytes: Buffer.from(part.bytes) });
      running -= 1;
    },
  };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

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

const options = (sink: WriteOptions["sink"], reader: EntryReader): WriteOptions => ({
  sink,
  reader,
  partSize: 64,
  concurrency: 2,
  signal: never,
});

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
      expect(written).toEqual({
        sizeBytes: bytes.length,
        crc32: crc32Hex(crc32(bytes)),
        entryCrc32s: sources.map((source) => entryOf(source, true).crc32),
      });
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
    expect(now.bytesUploaded).toBeGreaterThanOrEqual(before.bytesUploaded);
    expect(now.entriesDone).toBeGreaterThanOrEqual(before.entriesDone);
  }
  expect(seen.at(-1)).toEqual({ entriesDone: 3, bytesDone: 400, bytesMoved: 400, bytesUploaded: plan.sizeBytes });
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

const changes: [string, number, ArchiveEntry["crc32"], string][] = [
  ["one byte less", 199, null, "SOURCE_CHANGED"],
  ["one byte more", 201, null, "SOURCE_CHANGED"],
  ["nothing", 0, null, "SOURCE_CHANGED"],
  ["other bytes", 200, "12345678", "CHECKSUM_MISMATCH"],
];
test.each(changes)("a source that gives %s ends the archive before its last part", async (_what, size, crc, code) => {
  const sources = sourcesOf([500, 200, 300]);
  const entries = sources.map((source) => entryOf(source, false));
  entries[1] = { ...(entries[1] as ArchiveEntry), crc32: crc };
  const given = sources.map((source, i) => (i === 1 ? { ...source, sizeBytes: size } : source));
  const plan = layout(entries);
  const sink = collect([3]);
  const writing = writeArchive(plan, options(sink, readerOf(given, 70)));
  await expect(writing).rejects.toMatchObject({ name: "ArchiveError", code, entry: 1 });
  expect(sink.running).toBe(0);
  expect(sink.lastNumber).toBeLessThan(Math.ceil(plan.sizeBytes / 64));
});

test("an error of the reader, also of the entry that was opened early, ends the archive as it is", async () => {
  const refused = new Error("403");
  const reader: EntryReader = {
    async *open(_entry, index) {
      if (index === 1) throw refused;
      yield Buffer.alloc(100);
      await nextTurn();
    },
  };
  const plan = layout(sourcesOf([100, 100]).map((source) => entryOf(source, false)));
  await expect(writeArchive(plan, options(collect(), reader))).rejects.toBe(refused);
});

test("a failed upload stops the reading, and the others are waited for", async () => {
  const failure = new Error("500");
  let closed = 0;
  let pending = 0;
  const reader: EntryReader = {
    async *open() {
      try {
        for (;;) {
          await nextTurn();
          yield Buffer.alloc(64);
        }
      } finally {
        closed += 1;
      }
    },
  };
  const sink = {
    async upload(part: Part, signal: AbortSignal) {
      if (part.number === 3) throw failure;
      pending += 1;
      // An upload that needs a while to stop.
      if (part.number === 2) await new Promise((resolve) => signal.addEventListener("abort", () => resolve(null)));
      await nextTurn();
      await nextTurn();
      pending -= 1;
    },
  };
  const plan = layout([{ name: "a", sizeBytes: 1e12, crc32: null, modifiedAt: 0 }]);
  const known = { ...plan, entries: [{ ...(plan.entries[0] as ArchiveEntry), crc32: "00000000" }] };
  await expect(writeArchive(known, options(sink, reader))).rejects.toBe(failure);
  expect(pending).toBe(0);
  await expect.poll(() => closed).toBe(1);
});

test.each(["a source that hangs", "uploads that take long"])(
  "an abort ends %s at once, with its reason",
  async (where) => {
    const stop = new AbortController();
    const reason = new Error("cancelled");
    const hangs = where === "a source that hangs";
    const reader: EntryReader = {
      async *open() {
        yield Buffer.alloc(500);
        if (hangs) await new Promise(() => {});
        yield Buffer.alloc(500);
      },
    };
    let uploads = 0;
    const sink = {
      async upload(_part: Part, signal: AbortSignal) {
        uploads += 1;
        if (hangs) return;
        await new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("AbortError"))),
        );
      },
    };
    const plan = layout(sourcesOf([1000, 1000]).map((source) => entryOf(source, true)));
    const writing = writeArchive(plan, { ...options(sink, reader), signal: stop.signal });
    await expect.poll(() => uploads).toBeGreaterThan(1);
    stop.abort(reason);
    await expect(writing).rejects.toBe(reason);
    await expect(writeArchive(plan, { ...options(sink, reader), signal: stop.signal })).rejects.toBe(reason);
  },
);

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
    expect(written).toEqual({ sizeBytes, crc32: crc32Hex(crc32(bytes)), entryCrc32s: [crc32Hex(crc32(bytes))] });
  },
);

test.each([
  [99, null, "SOURCE_CHANGED"],
  [101, null, "SOURCE_CHANGED"],
  [100, "00000000", "CHECKSUM_MISMATCH"],
])("a plain file whose source gives %i of 100 bytes, with a CRC of %s, is %s", async (sizeBytes, told, code) => {
  const source = { name: "file.bin", sizeBytes, seed: 7 };
  const plan = plainLayout({ ...entryOf(source, false), sizeBytes: 100, crc32: told });
  const made = archiveBytes(plan, { reader: readerOf([source]), signal: never });
  await expect(made).rejects.toMatchObject({ code, entry: 0 });
});
