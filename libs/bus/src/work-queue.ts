import {
  type JobRecord,
  jobWorkSubjects,
  parseWorkSubject,
  STREAMS,
  type WorkItem,
  workSubject,
} from "@longhaul/contracts";
import { backoffMs, type Clock, type Logger, type Random } from "@longhaul/runtime";
import type { Bus } from "./connect.ts";
import { BusError, isTransient } from "./errors.ts";
import { encodeHeaders, HEADERS } from "./headers.ts";
import { apiResult, sentOrPresent } from "./jetstream-api.ts";
import { deleteMessage, leaderRead } from "./stream-reads.ts";

export type WorkQueue = {
  /**
   * Puts the work item of the record's generation, unless it is there already.
   * @param seq sequence of exactly this record: the item then carries it and saves the first delivery a read; null = a bare hint
   * @param traceparent of the item; without one the record's
   * @throws BusError
   */
  enqueue(record: JobRecord, seq: number | null, traceparent?: string): Promise<"sent" | "present">;
  /** The same without waiting. A send that fails is repeated in the background, for about five minutes; after that the sweep makes the item. */
  send(record: JobRecord, seq: number | null, traceparent?: string): void;
  /** Resolves when nothing that was given to `send` is under way any more, after `timeoutMs` in any case. */
  flush(timeoutMs: number): Promise<void>;
  /** Whether the item with this sequence is still in `WORK` and belongs to this job, by leader read. @throws BusError */
  itemAlive(seq: number, id: string): Promise<boolean>;
  /** Removes every item of the job, also one that somebody holds; gives their number. @throws BusError */
  removeItems(id: string): Promise<number>;
  /** Items of all classes and lanes that nobody has been handed yet. @throws BusError */
  length(): Promise<number>;
  /** Copies a message that nobody can read to `DEADLETTERS`; resolves when it is stored there. @throws BusError */
  deadLetter(message: { subject: string; bytes: Uint8Array; reason: string }): Promise<void>;
};

export type WorkQueueOptions = {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Of one request, milliseconds. */
  timeoutMs: number;
};

/** About five minutes: long enough for a server that restarts, or for somebody who restarts it. */
const SEND_TRIES = 60;
const SEND_BACKOFF = { baseMs: 250, maxMs: 8_000 };
/** Items that wait for another try of `send`: a bound on memory, about 15 MB. */
const MAX_WAITING = 10_000;
/** Items of one job at a time: one for each generation that nobody has looked at yet. A bound on a loop. */
const JOB_ITEMS_MAX = 1_000;
/** How often a flush looks whether all is sent. */
const FLUSH_LOOK_MS = 10;

export function createWorkQueue(bus: Bus, { clock, random, log, timeoutMs }: WorkQueueOptions): WorkQueue {
  let waiting = 0;
  let unsent = 0;

  async function enqueue(record: JobRecord, seq: number | null, traceparent = record.traceparent) {
    const headers = encodeHeaders({ [HEADERS.traceparent]: traceparent });
    const payload = JSON.stringify(itemOf(record, seq));
    return sentOrPresent(await bus.requests.request(subjectOf(record), payload, { headers, timeoutMs }));
  }

  async function sendAgain(record: JobRecord, seq: number | null, traceparent: string | undefined): Promise<void> {
    for (let failures = 1; failures < SEND_TRIES; failures++) {
      await clock.sleep(backoffMs(failures, SEND_BACKOFF, random.unit()));
      try {
        await enqueue(record, seq, traceparent);
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
    }
    throw new BusError("TIMEOUT", `The work item of job ${record.id} was not stored in ${SEND_TRIES} tries.`);
  }

  return {
    enqueue,
    send(record, seq, traceparent) {
      const fields = { job_id: record.id, generation: record.generation };
      const giveUp = (error: unknown) =>
        log.warn({ ...fields, err: error }, "work item not sent; the sweep will make it");
      unsent++;
      enqueue(record, seq, traceparent)
        .catch(async (error) => {
          if (!isTransient(error) || waiting >= MAX_WAITING) return giveUp(error);
          waiting++;
          await sendAgain(record, seq, traceparent)
            .catch(giveUp)
            .finally(() => waiting--);
        })
        .finally(() => unsent--);
    },
    async flush(flushTimeoutMs) {
      const deadline = clock.monotonic() + flushTimeoutMs;
      while (unsent > 0 && clock.monotonic() < deadline) await clock.sleep(FLUSH_LOOK_MS);
    },
    async itemAlive(seq, id) {
      const message = await leaderRead(bus, STREAMS.work, { seq }, timeoutMs);
      return message !== null && parseWorkSubject(message.subject)?.id === id;
    },
    async removeItems(id) {
      for (let removed = 0; removed < JOB_ITEMS_MAX; removed++) {
        const item = await leaderRead(bus, STREAMS.work, { last_by_subj: jobWorkSubjects(id) }, timeoutMs);
        if (!item) return removed;
        await deleteMessage(bus, STREAMS.work, item.seq, timeoutMs);
      }
      throw new BusError("REJECTED", `Job ${id} has more than ${JOB_ITEMS_MAX} work items.`);
    },
    async length() {
      const answer = await bus.requests.request(`$JS.API.CONSUMER.LIST.${STREAMS.work}`, "", { timeoutMs });
      const { consumers } = apiResult<{ consumers: { num_pending: number }[] }>(answer);
      return consumers.reduce((sum, { num_pending }) => sum + num_pending, 0);
    },
    async deadLetter({ subject, bytes, reason }) {
      const headers = encodeHeaders({ [HEADERS.subject]: subject, [HEADERS.reason]: reason });
      const answer = await bus.requests.request(`download.deadletter.${random.id()}`, bytes, { headers, timeoutMs });
      apiResult(answer);
    },
  };
}

/** The one place that says on which subject a generation's item lies: two items of one generation must not differ in it. */
function subjectOf({ id, generation, spec }: JobRecord): string {
  return workSubject({ class: spec.class, lane: spec.lane, id, generation });
}

/** Only a queued record can be claimed without a read, so only that one is carried. */
function itemOf(record: JobRecord, seq: number | null): WorkItem {
  const { id, generation, status } = record;
  return { id, generation, known: seq !== null && status === "queued" ? { seq, record } : null };
}
