import type { Bus } from "./connect.ts";
import { BusError } from "./errors.ts";
import { HEADERS, readHeader } from "./headers.ts";
import { apiResult, apiResultOrNull } from "./jetstream-api.ts";
import { statusOf } from "./request-mux.ts";

/** A message as a stream holds it. */
export type RawMessage = { subject: string; seq: number; bytes: Uint8Array };

type MessageGet = { message: { subject: string; seq: number; data?: string } };
type StreamInfo = { state: { last_seq: number } };

/** Asks the stream's leader: what it answers is the newest. @throws BusError */
export async function leaderRead(
  bus: Bus,
  stream: string,
  query: { last_by_subj: string } | { seq: number },
  timeoutMs: number,
): Promise<RawMessage | null> {
  const answer = await bus.requests.request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify(query), { timeoutMs });
  const message = apiResultOrNull<MessageGet>(answer)?.message;
  if (!message) return null;
  return { subject: message.subject, seq: message.seq, bytes: Buffer.from(message.data ?? "", "base64") };
}

/** Removes exactly this message, if it is (still) there. @throws BusError */
export async function deleteMessage(bus: Bus, stream: string, seq: number, timeoutMs: number): Promise<void> {
  // Not overwritten with random bytes, which would make it as dear as a write.
  const query = JSON.stringify({ seq, no_erase: true });
  const answer = await bus.requests.request(`$JS.API.STREAM.MSG.DELETE.${stream}`, query, { timeoutMs });
  apiResultOrNull(answer);
}

/** Asks any replica, which may be a moment behind. @throws BusError */
export async function directRead(
  bus: Bus,
  stream: string,
  subject: string,
  timeoutMs: number,
): Promise<RawMessage | null> {
  const answer = await bus.requests.request(`$JS.API.DIRECT.GET.${stream}.${subject}`, "", { timeoutMs });
  const status = statusOf(answer);
  if (status === 404) return null;
  if (status > 0) throw new BusError("REJECTED", `${stream} answered ${status} ${answer.headers?.description}.`);
  return { subject, seq: Number(readHeader(answer.headers, HEADERS.sequence)), bytes: answer.data };
}

/** Newest messages of several subjects, in one request to any replica; without those that have none. @throws BusError */
export async function directReadMany(
  bus: Bus,
  stream: string,
  subjects: string[],
  timeoutMs: number,
): Promise<RawMessage[]> {
  const query = JSON.stringify({ multi_last: subjects });
  const answers = await bus.requests.requestMany(`$JS.API.DIRECT.GET.${stream}`, query, { timeoutMs });
  return answers.map(({ headers, data }) => ({
    subject: readHeader(headers, "Nats-Subject") ?? "",
    seq: Number(readHeader(headers, HEADERS.sequence)),
    bytes: data,
  }));
}

/** Last sequence that the stream has given out. @throws BusError */
export async function lastSequence(bus: Bus, stream: string, timeoutMs: number): Promise<number> {
  const answer = await bus.requests.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeoutMs });
  return apiResult<StreamInfo>(answer).state.last_seq;
}
