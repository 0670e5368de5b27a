import { randomUUID } from "node:crypto";
import { createWorkQueue } from "@longhaul/bus";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import type { Fault, Town } from "./fault.ts";

const log = createLogger("chaos", "silent");

/** Work items that nobody can read, and one of a job that does not exist. */
export const POISON: Fault = {
  name: "poison messages on the queue",
  async strike(town) {
    const { bus } = town.observer;
    const unreadable = ["", "{", '{"id":1}', JSON.stringify({ id: randomUUID() })];
    for (const text of unreadable) {
      const stored = await putRaw(town, `download.requested.normal.fast.${randomUUID()}.1`, text);
      if (stored) town.ledger.poison++;
    }
    const id = randomUUID();
    await putRaw(town, `download.requested.normal.fast.${id}.1`, JSON.stringify({ id, generation: 1, known: null }));
    return bus.connected();
  },
};

/** Puts a message on a stream as it is; false when no answer says that it is stored. */
export async function putRaw({ observer: { bus } }: Town, subject: string, text: string): Promise<boolean> {
  const answer = await bus.requests.request(subject, text, { timeoutMs: 2_000 }).catch(() => null);
  return answer !== null && Buffer.from(answer.data).toString().includes('"seq"');
}

/** Items of jobs that have one, that run, or that have long ended: each may be delivered twice, and late. */
export const DUPLICATES: Fault = {
  name: "work items put a second time",
  async strike({ observer, ledger, prng, jobs }) {
    const queue = createWorkQueue(observer.bus, { clock: systemClock, random: systemRandom, log, timeoutMs: 2_000 });
    const ids = [...ledger.accepted.keys()].slice(-100);
    let sent = 0;
    for (let i = 0; i < 5 && ids.length > 0; i++) {
      const id = prng.pick(ids);
      const stored = await jobs.newest(id).catch(() => null);
      if (!stored || stored.record.status === "erased") continue;
      const put = await queue.enqueue(stored.record, null).catch(() => null);
      ledger.note(id, `fault  its item is put again: ${put ?? "no answer"}`);
      if (put === "sent") sent++;
    }
    return sent > 0;
  },
};
