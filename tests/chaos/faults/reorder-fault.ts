import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { laneConsumer, STREAMS, workSubject } from "@longhaul/contracts";
import type { Fault, Town } from "./fault.ts";
import { putRaw } from "./message-faults.ts";

const MOST = 6;
const HOLD_MS = 1_500;
const APART_MS = 150;
const LANES = [laneConsumer("normal", "fast"), laneConsumer("normal", "bulk")];

/**
 * Takes items away as a worker would and gives them back last first, so that they are delivered late and in another
 * order than they were sent; and puts items of earlier generations behind those of the newest.
 */
export const REORDER: Fault = {
  name: "work items delivered in another order, and those of earlier generations last",
  async strike(town) {
    const taken = await take(town);
    const put = await putEarlier(town);
    return taken + put > 0;
  },
};

async function take({ observer: { bus } }: Town): Promise<number> {
  const inbox = `_INBOX.chaos.${randomUUID()}`;
  const replies: string[] = [];
  const subscription = bus.nc.subscribe(inbox, {
    callback: (_, { reply }) => {
      if (reply) replies.push(reply);
    },
  });
  const query = JSON.stringify({ batch: MOST / LANES.length, expires: HOLD_MS * 1e6 });
  try {
    for (const lane of LANES)
      bus.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${STREAMS.work}.${lane}`, query, { reply: inbox });
    await delay(HOLD_MS);
    for (const [i, reply] of replies.toReversed().entries()) {
      bus.nc.publish(reply, `-NAK {"delay":${(i + 1) * APART_MS * 1e6}}`);
    }
    return replies.length;
  } catch {
    // Not connected: what was taken comes again after ack_wait.
    return 0;
  } finally {
    subscription.unsubscribe();
  }
}

async function putEarlier(town: Town): Promise<number> {
  let put = 0;
  for (const id of [...town.ledger.accepted.keys()].slice(-100)) {
    const stored = await town.jobs.newest(id).catch(() => null);
    if (!stored || stored.record.status === "erased" || stored.record.generation < 2) continue;
    const generation = stored.record.generation - 1;
    const { class: jobClass, lane } = stored.record.spec;
    const subject = workSubject({ class: jobClass, lane, id, generation });
    const isPut = await putRaw(town, subject, JSON.stringify({ id, generation, known: null }));
    town.ledger.note(id, `fault  an item of generation ${generation} is put behind${isPut ? "" : ": no answer"}`);
    if (isPut) put++;
    if (put === MOST) break;
  }
  return put;
}
