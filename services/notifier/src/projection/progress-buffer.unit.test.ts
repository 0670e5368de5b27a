import type { ProgressMessage } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { recordIn } from "../../../../libs/job/src/testing/index.ts";
import { ProgressBuffer } from "./progress-buffer.ts";

function message(seq: number, n: number): ProgressMessage {
  return { userHash: "hash", seq, n, progress: { ...recordIn("running").progress, bytesDone: n } };
}

const versions = (buffer: ProgressBuffer) => buffer.pending().map(({ id, seq, n }) => `${id}:${seq}.${n}`);

test("the newest of each job is kept, in whatever order they come", () => {
  const buffer = new ProgressBuffer();
  for (const [seq, n] of [
    [7, 2],
    [7, 1],
    [7, 3],
    [6, 9],
    [8, 1],
  ] as const)
    buffer.offer("a", message(seq, n));
  buffer.offer("b", message(1, 1));
  expect(versions(buffer)).toEqual(["a:8.1", "b:1.1"]);
});

test("what was written is forgotten, unless something newer has come meanwhile", () => {
  const buffer = new ProgressBuffer();
  buffer.offer("a", message(7, 1));
  buffer.offer("b", message(3, 1));
  const writing = buffer.pending();
  buffer.offer("a", message(7, 2));
  buffer.written(writing);
  expect(versions(buffer)).toEqual(["a:7.2"]);
});

test("a full buffer takes no further job, but goes on with those it has", () => {
  const buffer = new ProgressBuffer(2);
  buffer.offer("a", message(1, 1));
  buffer.offer("b", message(1, 1));
  buffer.offer("c", message(1, 1));
  buffer.offer("a", message(1, 2));
  expect(versions(buffer)).toEqual(["a:1.2", "b:1.1"]);
});
