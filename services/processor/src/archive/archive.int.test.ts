import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ArchiveEntry } from "./archive-entry.ts";
import { layout } from "./layout.ts";
import { manifestEntry } from "./manifest.ts";
import { entryNames } from "./names.ts";
import { writeArchive } from "./stream.ts";
import { FileSink } from "./testing/file-sink.ts";
import { entryOf, readerOf, sha256Of, type TestSource } from "./testing/sources.ts";
import { checkWith, isInstalled, listWith, unzipTo, ZIP_TOOLS } from "./testing/zip-tools.ts";

const MIB = 1024 * 1024;
const PART_SIZE = 5 * MIB;
const TOOL_TIMEOUT_MS = 100_000;
const EMPTY_SHA256 = createHash("sha256").digest("hex");

/** An archive on disk: lines of `name TAB size TAB sha256`, as its sources say. */
type Written = { path: string; entries: string[]; sha256: string };
let folder: string;
const archives: Record<string, Written> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longhaul-archive-"));
  const mixed = mixedSources();
  archives.known = await write("known", mixed, { known: true, partSize: PART_SIZE });
  archives.unknown = await write("unknown", mixed, { known: false, partSize: PART_SIZE });
  archives.cut = await write("cut", straddlingSources(), { known: false, partSize: 101 });
  archives.many = await write("many", emptySources(70_000), { known: true, partSize: PART_SIZE });
  archives.none = await write("none", [], { known: true, partSize: PART_SIZE });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** 20 files: all sizes that matter, and names that nobody should extract as they are. */
function mixedSources(): TestSource[] {
  const firstHeader = 30 + "exact.bin".length;
  const files: [string, number][] = [
    ["exact.bin", PART_SIZE - firstHeader],
    ["empty.bin", 0],
    ["one.bin", 1],
    ["two parts.bin", 2 * PART_SIZE],
    ["a/b/deep.txt", 4321],
    ["../../outside.txt", 10],
    ["/etc/passwd", 11],
    ["C:\\windows\\x.dll", 12],
    ["CON", 13],
    ["grün 漢字 👩‍👩‍👧.txt", 14],
    ["photo\u202Egnp.exe", 15],
    ["dup.zip", 16],
    ["dup.zip", 17],
    ["DUP.ZIP", 18],
    ["a", 19],
    [`${"long".repeat(100)}.zip`, 20],
    ["_manifest.json", 21],
    ["fifty.bin", 50 * MIB],
    ["after.bin", PART_SIZE + 1],
    ["empty at the end", 0],
  ];
  const names = entryNames(files.map(([name]) => name));
  return files.map(([, sizeBytes], seed) => ({ name: names[seed] ?? "", sizeBytes, seed }));
}

/** With parts of 101 bytes every field of some header lies across a boundary. */
function straddlingSources(): TestSource[] {
  return Array.from({ length: 150 }, (_, seed) => ({ name: `f${seed}`, sizeBytes: (seed * 7) % 331, seed }));
}

/** More than 65,535 entries need the ZIP64 end records. */
function emptySources(count: number): TestSource[] {
  return Array.from({ length: count }, (_, i) => ({ name: `folder/${i}`, sizeBytes: 0, seed: 0 }));
}

async function write(
  name: string,
  sources: TestSource[],
  { known, partSize }: { known: boolean; partSize: number },
): Promise<Written> {
  const entries = sources.map((source) => entryOf(source, known));
  const manifest = manifestOf(entries);
  const plan = layout(name === "many" ? entries : [...entries, manifest]);
  const path = join(folder, `${name}.zip`);
  const sink = await FileSink.create(path, partSize, plan.sizeBytes);
  const options = { reader: readerOf(sources), sink, partSize, concurrency: 2, signal: AbortSignal.timeout(100_000) };
  await writeArchive(plan, options);
  await sink.close();
  const lines = sources.map((source) => {
    const sha256 = source.sizeBytes === 0 ? EMPTY_SHA256 : sha256Of(source);
    return `${source.name}\t${source.sizeBytes}\t${sha256}`;
  });
  if (name !== "many") {
    const crcs = sources.map((source) => entryOf(source, true).crc32 ?? "");
    const bytes = manifest.render?.(crcs) ?? Buffer.alloc(0);
    lines.push(`${manifest.name}\t${bytes.length}\t${createHash("sha256").update(bytes).digest("hex")}`);
  }
  return { path, entries: lines, sha256: await sha256OfFile(path) };
}

function manifestOf(entries: ArchiveEntry[]): ArchiveEntry {
  const files = entries.map((entry, i) => ({ ...entry, fileId: 10_000 + i }));
  return manifestEntry(files, [{ fileId: 9_999_999, code: "FILE_NOT_FOUND" }]);
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}

test("a source that tells its CRC and one that does not give the same bytes", () => {
  expect(archives.unknown?.sha256).toBe(archives.known?.sha256);
});

describe.each(ZIP_TOOLS)("$name", (tool) => {
  test("accepts every archive, and finds in it what the sources are", { timeout: 120_000 }, async ({ skip }) => {
    skip(!(await isInstalled(tool)), `${tool.command} is not installed`);
    const all = Object.values(archives);
    if (tool.list !== undefined) {
      const found = await listWith(
        tool,
        all.map(({ path }) => path),
        TOOL_TIMEOUT_MS,
      );
      for (const { path, entries } of all) expect(found.get(path)).toEqual(entries);
      return;
    }
    for (const { path } of all) await checkWith(tool, path, TOOL_TIMEOUT_MS);
  });
});

test("unzip writes nothing outside its folder, and every name as the archive has it", async ({ skip }) => {
  skip(!(await isInstalled(ZIP_TOOLS[0]!)), "unzip is not installed");
  const target = join(folder, "extracted", "here");
  await mkdir(target, { recursive: true });
  await unzipTo(target, archives.known!.path);
  expect(await readdir(join(folder, "extracted"))).toEqual(["here"]);
  const paths = (await readdir(target, { recursive: true, withFileTypes: true }))
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name).slice(target.length + 1));
  expect(paths.toSorted()).toEqual(archives.known!.entries.map((line) => line.split("\t")[0]).toSorted());
});

test("300 MB go through without the memory growing by more than the buffers and what the garbage collector leaves", async () => {
  const sources = [0, 1, 2].map((seed) => ({ name: `${seed}.bin`, sizeBytes: 100_000_000, seed }));
  const plan = layout(sources.map((source) => entryOf(source, false)));
  const slow = { upload: () => new Promise<void>((resolve) => setImmediate(resolve)) };
  // Collected now and then: what is measured is what the writer holds, not what the test runner's heap has not cleared yet.
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  const before = process.memoryUsage().rss;
  let most = 0;
  let collectAt = 0;
  await writeArchive(plan, {
    reader: readerOf(sources),
    sink: slow,
    partSize: PART_SIZE,
    concurrency: 2,
    signal: AbortSignal.timeout(60_000),
    onProgress: ({ bytesMoved }) => {
      if (bytesMoved >= collectAt) {
        collect();
        collectAt = bytesMoved + 4 * MIB;
      }
      most = Math.max(most, process.memoryUsage.rss());
    },
  });
  expect(most - before).toBeLessThan(3 * PART_SIZE + 64 * MIB);
});
