import type { StoredRecord } from "@longhaul/contracts";
import { type Change, stamp, wroteIt } from "@longhaul/job";
import { backoffMs, type Clock, type Random } from "@longhaul/runtime";
import { BusError, isTransient } from "./errors.ts";
import { encodeJobEvent } from "./job-event.ts";
import type { Stored } from "./stored.ts";

/**
 * What `putOnce` needs of the stream of jobs. Both reject with a `BusError`.
 */
export type JobLog = {
  /** Stores the job's next message if `expectedSeq` is the sequence of its newest (0 = there is none); gives its sequence. */
  append(
    id: string,
    bytes: Uint8Array,
    expectedSeq: number,
    options: { traceparent: string; ttlSeconds: number | undefined; timeoutMs: number },
  ): Promise<number>;
  /** The newest message as the stream's leader has it; null = there is none. */
  readNewest(id: string, timeoutMs: number): Promise<Stored | null>;
};

export type PutOptions = {
  /** How long to try, milliseconds. */
  deadlineMs: number;
  /** Lifetime of an end in `JOBS`, seconds; absent = it stays. */
  ttlSeconds?: number | undefined;
  /** W3C Trace Context of the write. */
  traceparent: string;
  /** CloudEvents source, such as `/longhaul/gateway`. */
  source: string;
};

/**
 * - `done`: the write is stored. `seq` and `record` are the job's newest; when `superseded`, others have written since
 *   and `record` is theirs: whoever wants to go on has to decide anew (a worker is fenced).
 * - `conflict`: another writer was first. `current` is the newest; null = there is nothing any more: load again.
 * - `unknown`: nobody answered until the deadline; the write may be stored, or may still become so.
 * - `unavailable`: the deadline is over, and every try was refused or never sent: nothing was stored. Transient.
 * - `full`: `JOBS` is at its bound and nothing was stored. Transient, never a fence.
 */
export type PutResult =
  | { kind: "done"; seq: number; record: StoredRecord; superseded: boolean }
  | { kind: "conflict"; current: Stored | null }
  | { kind: "unknown" }
  | { kind: "unavailable" }
  | { kind: "full" };

/**
 * Replaces the job's message with sequence `seq` (0 = there must be none) by `change`.
 * @throws BusError for what no second try can mend (`REJECTED`, `UNREADABLE`, `TOO_LARGE`)
 */
export type PutOnce = (id: string, seq: number, change: Change, options: PutOptions) => Promise<PutResult>;

/** A lost answer must leave time for the read-back and further tries. */
const TRIES_IN_DEADLINE = 4;
const MAX_TRY_MS = 5_000;
const BACKOFF = { baseMs: 50, maxMs: 500 };

/**
 * The only writer of `JOBS`. An answer that is lost says nothing about the write, and a refusal may be caused by our
 * own earlier try; so after anything but an acknowledgement the leader is asked, and the write id tells ours from others'.
 * Time and randomness are arguments: the same code runs in the simulation.
 */
export function createPutOnce(
  log: JobLog,
  clock: Pick<Clock, "monotonic" | "sleep">,
  random: Pick<Random, "token" | "unit">,
): PutOnce {
  return async (id, seq, change, { deadlineMs, ttlSeconds, traceparent, source }) => {
    const record = stamp(change, random.token());
    const bytes = encodeJobEvent({ type: change.type, record, source, traceparent });
    const endsAt = clock.monotonic() + deadlineMs;
    const tryMs = Math.min(MAX_TRY_MS, deadlineMs / TRIES_IN_DEADLINE);
    const leftMs = () => Math.max(0, endsAt - clock.monotonic());
    const pause = (failures: number) => clock.sleep(Math.min(leftMs(), backoffMs(failures, BACKOFF, random.unit())));

    /** undefined = nobody answered until the deadline. */
    async function readBack(): Promise<Stored | null | undefined> {
      for (let failures = 1; leftMs() > 0; failures++) {
        try {
          return await log.readNewest(id, Math.min(tryMs, leftMs()));
        } catch (error) {
          if (!isTransient(error)) throw error;
        }
        await pause(failures);
      }
      return undefined;
    }

    // Whether some try of ours may still be on its way to the stream.
    let unanswered = false;
    for (let failures = 1; leftMs() > 0; failures++) {
      let refusal: Refusal;
      try {
        const timeoutMs = Math.min(tryMs, leftMs());
        const stored = await log.append(id, bytes, seq, { traceparent, ttlSeconds, timeoutMs });
        return { kind: "done", seq: stored, record, superseded: false };
      } catch (error) {
        refusal = refusalOf(error);
      }
      unanswered ||= refusal === "unanswered";

      const current = await readBack();
      if (current === undefined) break;
      if (current && wroteIt(current.record, record.writeId)) {
        return { kind: "done", ...pick(current), superseded: current.record.writeId !== record.writeId };
      }
      if ((current?.seq ?? 0) !== seq) return { kind: "conflict", current };
      if (refusal === "full" && !unanswered) return { kind: "full" };
      await pause(failures);
    }
    return { kind: unanswered ? "unknown" : "unavailable" };
  };
}

type Refusal = "wrong-sequence" | "full" | "not-sent" | "unanswered";

/** @throws the error itself when trying again cannot help */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof BusError)) throw error;
  if (error.code === "WRONG_SEQUENCE") return "wrong-sequence";
  if (error.code === "FULL") return "full";
  // Too many requests of ours on their way, or nobody there whom the server could have given it to.
  if (error.code === "OVERLOADED" || error.code === "NO_RESPONDERS") return "not-sent";
  if (isTransient(error)) return "unanswered";
  throw error;
}

const pick = ({ seq, record }: Stored) => ({ seq, record });
