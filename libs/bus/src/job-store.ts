import { jobSubject, STREAMS } from "@longhaul/contracts";
import type { Clock, Logger, Random } from "@longhaul/runtime";
import type { Bus } from "./connect.ts";
import { BusError } from "./errors.ts";
import { encodeHeaders, HEADERS } from "./headers.ts";
import { apiResult } from "./jetstream-api.ts";
import { decodeJobEvent } from "./job-event.ts";
import { createPutOnce, type JobLog, type PutOnce } from "./put-once.ts";
import type { Stored } from "./stored.ts";
import { directRead, directReadMany, lastSequence, leaderRead, type RawMessage } from "./stream-reads.ts";

/** Jobs in one `newestOf`: larger requests hold up the stream's writers. */
export const NEWEST_OF_MAX = 100;

export type JobStore = {
  /** Newest record by leader read: what decisions are based on. null = no such job in `JOBS`. @throws BusError */
  newest(id: string): Promise<Stored | null>;
  /** Newest record from any replica: may be a moment old. @throws BusError */
  direct(id: string): Promise<Stored | null>;
  /**
   * Newest records of at most 100 jobs in one request to any replica, in no order; without those that are not there or
   * that nobody can read. @throws BusError
   */
  newestOf(ids: readonly string[]): Promise<Stored[]>;
  put: PutOnce;
  /** Last sequence that `JOBS` has given out. @throws BusError */
  lastSequence(): Promise<number>;
};

export type JobStoreOptions = {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Of one read, milliseconds. */
  timeoutMs: number;
};

export function createJobStore(bus: Bus, { clock, random, log, timeoutMs }: JobStoreOptions): JobStore {
  const jobLog = createJobLog(bus);
  return {
    newest: (id) => jobLog.readNewest(id, timeoutMs),
    async direct(id) {
      const message = await directRead(bus, STREAMS.jobs, jobSubject(id), timeoutMs);
      return message && decode(message);
    },
    async newestOf(ids) {
      if (ids.length === 0) return [];
      if (ids.length > NEWEST_OF_MAX) throw new RangeError(`At most ${NEWEST_OF_MAX} jobs at once, not ${ids.length}.`);
      const messages = await directReadMany(bus, STREAMS.jobs, ids.map(jobSubject), timeoutMs);
      return messages.flatMap((message) => {
        const stored = decodeJobEvent(message.bytes, message.seq);
        if (!stored)
          log.error({ subject: message.subject, seq: message.seq }, "left out an unreadable message of JOBS");
        return stored ?? [];
      });
    },
    put: createPutOnce(jobLog, clock, random),
    lastSequence: () => lastSequence(bus, STREAMS.jobs, timeoutMs),
  };
}

/** `JOBS` as `putOnce` sees it. */
export function createJobLog(bus: Bus): JobLog {
  return {
    async append(id, bytes, expectedSeq, { traceparent, ttlSeconds, timeoutMs }) {
      const headers = encodeHeaders({
        [HEADERS.expectedLastSubjectSequence]: expectedSeq,
        [HEADERS.ttl]: ttlSeconds && `${Math.ceil(ttlSeconds)}s`,
        [HEADERS.traceparent]: traceparent,
      });
      const answer = await bus.requests.request(jobSubject(id), bytes, { headers, timeoutMs });
      return apiResult<{ seq: number }>(answer).seq;
    },
    async readNewest(id, timeoutMs) {
      const message = await leaderRead(bus, STREAMS.jobs, { last_by_subj: jobSubject(id) }, timeoutMs);
      return message && decode(message);
    },
  };
}

function decode({ subject, seq, bytes }: RawMessage): Stored {
  const stored = decodeJobEvent(bytes, seq);
  if (!stored) throw new BusError("UNREADABLE", `Message ${seq} of JOBS (${subject}) is not a job event.`);
  return stored;
}
