import { isPermanent } from "@longhaul/job";
import { backoffMs, type Clock, type Random } from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import type { PlannedFile } from "../source/source.ts";

/** How often a file is tried inside one try of its job. */
export type FileTries = { fileTries: number; retryBaseMs: number; clock: Clock; random: Random };

/** What takes longer is waited for by the job in the queue, and not in its slot. */
const MAX_WAIT_MS = 30_000;

const isFinal = ({ code, waitsFor, retryAfterMs = 0 }: JobFailure) =>
  isPermanent(code) || code === "SOURCE_CHANGED" || waitsFor !== null || retryAfterMs > MAX_WAIT_MS;

/** Calls again after errors that may pass, up to `fileTries` calls in all. */
export async function withFileTries<T>(call: () => Promise<T>, tries: FileTries, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (error) {
      await waitForNextTry(error, failures, tries, signal);
    }
  }
}

/** Opens the bytes of `file` from an offset on. */
export type OpenFile = (file: PlannedFile, offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** The bytes of a file from an offset on; a read that breaks off goes on at the next byte. */
export async function* readWithTries(
  file: PlannedFile,
  begin: number,
  open: OpenFile,
  tries: FileTries,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let offset = begin;
  for (let failures = 1; ; failures++) {
    try {
      for await (const piece of open(file, offset, signal)) {
        offset += piece.length;
        yield piece;
      }
      return;
    } catch (error) {
      await waitForNextTry(error, failures, tries, signal);
    }
  }
}

async function waitForNextTry(error: unknown, failures: number, tries: FileTries, signal: AbortSignal): Promise<void> {
  if (!(error instanceof JobFailure) || isFinal(error) || failures >= tries.fileTries || signal.aborted) throw error;
  const waitMs = backoffMs(failures, { baseMs: tries.retryBaseMs, maxMs: MAX_WAIT_MS }, tries.random.unit());
  await tries.clock.sleep(Math.max(waitMs, error.retryAfterMs ?? 0), signal);
}
