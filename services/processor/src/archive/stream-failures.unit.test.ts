import { expect, test } from "vitest";
import type { ArchiveEntry } from "./archive-entry.ts";
import { layout, plainLayout } from "./layout.ts";
import type { EntryReader, Part } from "./ports.ts";
import { archiveBytes, writeArchive } from "./stream.ts";
import { collect, never, nextTurn, options, sourcesOf } from "./testing/kept-parts.ts";
import { entryOf, readerOf } from "./testing/sources.ts";

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
  [99, null, "SOURCE_CHANGED"],
  [101, null, "SOURCE_CHANGED"],
  [100, "00000000", "CHECKSUM_MISMATCH"],
])("a plain file whose source gives %i of 100 bytes, with a CRC of %s, is %s", async (sizeBytes, told, code) => {
  const source = { name: "file.bin", sizeBytes, seed: 7 };
  const plan = plainLayout({ ...entryOf(source, false), sizeBytes: 100, crc32: told });
  const made = archiveBytes(plan, { reader: readerOf([source]), signal: never });
  await expect(made).rejects.toMatchObject({ code, entry: 0 });
});
