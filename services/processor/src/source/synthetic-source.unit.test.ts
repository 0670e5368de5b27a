import { type Clock, seededChunks } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { createSyntheticSource, type SyntheticSourceOptions } from "./synthetic-source.ts";

const NEVER = new AbortController().signal;
const SIZE = 1_000_003;

/** A source on a clock that goes on only by sleeping. */
function sourceWith(options: Partial<SyntheticSourceOptions> = {}) {
  let elapsedMs = 0;
  const clock: Clock = {
    now: () => elapsedMs,
    monotonic: () => elapsedMs,
    async sleep(ms) {
      elapsedMs += ms;
    },
  };
  const source = createSyntheticSource({
    syntheticSizeBytes: SIZE,
    syntheticRateBytesPerSecond: 0,
    syntheticSeed: 1,
    syntheticRules: [],
    clock,
    ...options,
  });
  async function read(fileId: number, offset = 0) {
    const pieces: Uint8Array[] = [];
    for await (const piece of source.open(await source.find(fileId, NEVER), offset, NEVER)) pieces.push(piece);
    return { bytes: Buffer.concat(pieces), pieces: pieces.length, seconds: elapsedMs / 1000 };
  }
  return { source, read };
}

test("a file has the seeded bytes of its id, from any offset, and takes no time", async () => {
  const whole = Buffer.concat([...seededChunks(70_000, SIZE)]);
  const { read } = sourceWith();
  expect(await read(70_000)).toMatchObject({ bytes: whole, seconds: 0 });
  expect((await read(70_000, 999_990)).bytes).toEqual(whole.subarray(999_990));
  expect((await read(70_000, SIZE)).bytes).toHaveLength(0);
});

test("another seed is another version of the file", async () => {
  const [one, two] = [sourceWith(), sourceWith({ syntheticSeed: 2 })];
  expect((await two.read(70_000)).bytes).not.toEqual((await one.read(70_000)).bytes);
  expect((await two.source.find(70_000, NEVER)).etag).not.toBe((await one.source.find(70_000, NEVER)).etag);
});

const syntheticRules = [
  { fromId: 20_000, durationMs: 1_000 },
  { fromId: 90_000, durationMs: 120_000 },
];

test.each([
  [10_000, 2],
  [20_000, 1],
  [89_999, 1],
  [90_000, 120],
  [1_000_000, 120],
])("file %i takes %i s as the rules and the rate say", async (fileId, seconds) => {
  const read = await sourceWith({ syntheticRules, syntheticRateBytesPerSecond: SIZE / 2 }).read(fileId);
  expect(read.seconds).toBeCloseTo(seconds);
  expect(read.pieces).toBeGreaterThanOrEqual(10 * seconds);
  expect(read.bytes).toEqual(Buffer.concat([...seededChunks(fileId, SIZE)]));
});

test("the second half of a slow file takes half its time", async () => {
  expect((await sourceWith({ syntheticRules }).read(90_000, Math.floor(SIZE / 2))).seconds).toBeCloseTo(60);
});

test("an empty file is there, and takes no time", async () => {
  expect(await sourceWith({ syntheticRules, syntheticSizeBytes: 0 }).read(90_000)).toMatchObject({ pieces: 0 });
});

test("a read that is stopped ends", async () => {
  const { source } = sourceWith();
  const file = await source.find(70_000, NEVER);
  const read = source.open(file, 0, AbortSignal.abort(new Error("stopped")));
  await expect(read[Symbol.asyncIterator]().next()).rejects.toThrow("stopped");
});
