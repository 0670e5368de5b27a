import { deepEqual, equal } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { crc32Hex } from "../crc32.ts";
import type { EntryReader, Part } from "../ports.ts";
import type { WriteOptions } from "../stream.ts";
import type { TestSource } from "./sources.ts";

export const never = new AbortController().signal;
/** Sources of these sizes. */
export const sourcesOf = (sizes: readonly number[]): TestSource[] =>
  sizes.map((sizeBytes, seed) => ({ name: `file-${seed}.bin`, sizeBytes, seed }));

/** Keeps copies of the parts, each after as many turns of the event loop as `delays` says. */
export function collect(delays: readonly number[] = [0]) {
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
      deepEqual(
        sorted.map((part) => part.number),
        sorted.map((_, i) => i + 1),
      );
      return Buffer.concat(sorted.map((part) => part.bytes));
    },
    async upload(part: Part) {
      running += 1;
      mostAtOnce = Math.max(mostAtOnce, running);
      for (let turn = 0; turn < (delays[part.number % delays.length] ?? 0); turn += 1) await nextTurn();
      equal(crc32Hex(crc32(part.bytes)), part.crc32);
      parts.push({ ...part, bytes: Buffer.from(part.bytes) });
      running -= 1;
    },
  };
}

export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** To write with, in small parts. */
export const options = (sink: WriteOptions["sink"], reader: EntryReader): WriteOptions => ({
  sink,
  reader,
  partSize: 64,
  concurrency: 2,
  signal: never,
});
