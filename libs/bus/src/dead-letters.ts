import { STREAMS } from "@longhaul/contracts";
import type { Bus } from "./connect.ts";
import { HEADERS } from "./headers.ts";
import { apiResult, apiResultOrNull, sentOrPresent } from "./jetstream-api.ts";

/** A message that nobody could read. `subject`: where it was found; `at`: when it was set aside, ISO 8601. */
export type DeadLetter = { id: string; seq: number; at: string; subject: string; reason: string; bytes: Uint8Array };

export type DeadLetters = {
  /** The letters from this sequence on, the oldest first, at most `limit`. @throws BusError */
  page(fromSeq: number, limit: number): Promise<DeadLetter[]>;
  get(id: string): Promise<DeadLetter | null>;
  /** How many there are. @throws BusError */
  count(): Promise<number>;
  /** Nothing happens if it is gone already. @throws BusError */
  remove(letter: DeadLetter): Promise<void>;
  /** Puts a work item where it was found once more; `present`: one is there. @throws BusError */
  publishAgain(letter: DeadLetter): Promise<"sent" | "present">;
};

const SUBJECT = "download.deadletter.";

type MessageGet = { message: { subject: string; seq: number; time: string; data?: string; hdrs?: string } };

/** The messages in `DEADLETTERS`, for operators. `timeoutMs`: of one request. */
export function createDeadLetters(bus: Bus, { timeoutMs }: { timeoutMs: number }): DeadLetters {
  const ask = (call: string, query: object | null) =>
    bus.requests.request(`$JS.API.STREAM.${call}.${STREAMS.deadLetters}`, query === null ? "" : JSON.stringify(query), {
      timeoutMs,
    });
  const read = async (query: object): Promise<DeadLetter | null> => {
    const message = apiResultOrNull<MessageGet>(await ask("MSG.GET", query))?.message;
    return message === undefined ? null : letterOf(message);
  };
  return {
    async page(fromSeq, limit) {
      const letters: DeadLetter[] = [];
      for (let seq = fromSeq; letters.length < limit; ) {
        const letter = await read({ seq, next_by_subj: `${SUBJECT}*` });
        if (letter === null) break;
        letters.push(letter);
        seq = letter.seq + 1;
      }
      return letters;
    },
    get: (id) => read({ last_by_subj: SUBJECT + id }),
    async count() {
      return apiResult<{ state: { messages: number } }>(await ask("INFO", null)).state.messages;
    },
    async remove({ id, seq }) {
      const answer = await ask("MSG.DELETE", { seq, no_erase: true });
      try {
        apiResult(answer);
      } catch (error) {
        if ((await read({ last_by_subj: SUBJECT + id })) !== null) throw error;
      }
    },
    async publishAgain({ subject, bytes }) {
      return sentOrPresent(await bus.requests.request(subject, bytes, { timeoutMs }));
    },
  };
}

function letterOf({ subject, seq, time, data, hdrs }: MessageGet["message"]): DeadLetter {
  const headers = Buffer.from(hdrs ?? "", "base64").toString();
  const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, "m").exec(headers)?.[1] ?? "";
  return {
    id: subject.slice(SUBJECT.length),
    seq,
    at: new Date(time).toISOString(),
    subject: header(HEADERS.subject),
    reason: header(HEADERS.reason),
    bytes: Buffer.from(data ?? "", "base64"),
  };
}
