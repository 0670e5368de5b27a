import { setTimeout as delay } from "node:timers/promises";
import type { Prng } from "../sim/kernel/prng.ts";
import { createDownload, type Job, request } from "../support/download-client.ts";
import { drawAsk } from "./asks.ts";
import type { Ledger } from "./ledger.ts";

const USERS = ["ann", "ben", "cid"];
const COMMANDS = ["cancel", "pause", "pause", "resume", "resume", "resume", "retry", "retry", "delete"] as const;
type Command = (typeof COMMANDS)[number];
/** Unfinished jobs that the users leave to the system at a time. */
const MOST_OPEN = 40;
const COMMAND_SHARE = 0.3;
/** Commands also go to jobs that have ended, if that is not long ago. */
const RECENT = 30;

export type UsersOptions = {
  baseUrls: () => string[];
  ledger: Ledger;
  prng: Prng;
  /** Somebody follows the new job. */
  follow: (id: string, user: string) => void;
  signal: AbortSignal;
};

/** Create jobs and change their minds about them, and write down what they are told, until the signal. */
export async function useDownloads(options: UsersOptions): Promise<void> {
  const { ledger, prng, signal } = options;
  while (!signal.aborted) {
    await delay(prng.int(20, 250));
    const open = openJobs(ledger);
    if (open.length < MOST_OPEN) await create(options);
    const recent = [...ledger.accepted.keys()].slice(-RECENT);
    if (recent.length > 0 && prng.chance(COMMAND_SHARE)) {
      // Not waited for: the next request of this user may overtake it.
      void command(prng.pick(recent), prng.pick(COMMANDS), options);
    }
  }
}

async function create({ baseUrls, ledger, prng, follow }: UsersOptions): Promise<void> {
  const user = prng.pick(USERS);
  const ask = drawAsk(prng);
  const answer = await createDownload(prng.pick(baseUrls()), ask.fileIds, user).catch(() => null);
  if (answer?.status === 202) {
    ledger.accept(answer.body.id, user, ask);
    follow(answer.body.id, user);
  } else if (answer === null || isUnknown(answer.body)) ledger.unknownCreates++;
  else if (answer.status === 503) ledger.refusedCreates++;
  else ledger.oddAnswers.push(`a create is answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
}

async function command(
  id: string,
  type: Command,
  { baseUrls, ledger, prng }: Pick<UsersOptions, "baseUrls" | "ledger" | "prng">,
): Promise<void> {
  const headers = { "x-user-id": ledger.accepted.get(id)?.user ?? "" };
  const url = `${prng.pick(baseUrls())}/v1/downloads/${id}`;
  const asked =
    type === "delete"
      ? request<Job>(url, { method: "DELETE", headers })
      : request<Job>(`${url}/${type}`, { method: "POST", headers });
  const answer = await asked.catch(() => null);
  if (answer?.status === 204) {
    // Whatever generation it was: there is no other after it.
    ledger.answer(id, { command: type, status: "erased", generation: Number.MAX_SAFE_INTEGER, seq: 0 });
  } else if (answer?.status === 200) {
    const { status, generation, version } = answer.body;
    ledger.answer(id, { command: type, status, generation, seq: Number(version.split(".")[0]) });
  } else {
    ledger.note(id, `user   ${type} is answered with ${answer?.status ?? "nothing"}`);
    if (answer?.status === 500) ledger.oddAnswers.push(`${type} is answered with 500: ${JSON.stringify(answer.body)}`);
  }
}

/** Jobs whose end this process has not seen. */
function openJobs({ accepted, ends }: Ledger): string[] {
  return [...accepted.keys()].filter((id) => !ends.has(id));
}

const isUnknown = (body: unknown) => typeof body === "object" && body !== null && "outcome" in body;
