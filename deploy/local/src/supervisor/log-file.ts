import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

const ROTATE_AT_BYTES = 32 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;

/**
 * Opens a log for appending; `size`: bytes that are in it already. A log that has grown large is first set aside as
 * `<file>.1`.
 */
export function openLog(path: string): { descriptor: number; size: number } {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > ROTATE_AT_BYTES) {
    renameSync(path, `${path}.1`);
  }
  const descriptor = openSync(path, "a", 0o600);
  return { descriptor, size: fstatSync(descriptor).size };
}

/** The last lines of a log from the byte `begin` on, for an error message; empty when there is none. */
export function logTail(path: string, begin: number, lines: number): string {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= begin) {
    return "";
  }
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(Math.min(size - begin, TAIL_BYTES));
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } finally {
    closeSync(descriptor);
  }
}
