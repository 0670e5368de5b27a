import { type JobRecord, STREAMS, type WorkItem, workItem, workSubject } from "@longhaul/contracts";
import type { TestGateway } from "./test-gateway.ts";

/** The item of the record's generation in `WORK`; null when it is not there. */
export async function workItemOf({ bus }: Pick<TestGateway, "bus">, record: JobRecord): Promise<WorkItem | null> {
  const { id, generation, spec } = record;
  const query = { last_by_subj: workSubject({ class: spec.class, lane: spec.lane, id, generation }) };
  const request = JSON.stringify(query);
  const answer = await bus.requests.request(`$JS.API.STREAM.MSG.GET.${STREAMS.work}`, request, { timeoutMs: 2000 });
  const { message } = answer.json<{ message?: { data: string } }>();
  return message ? workItem.parse(JSON.parse(Buffer.from(message.data, "base64").toString())) : null;
}
