import type { DeadLetter, DeadLetters } from "@longhaul/bus";
import {
  type DeadJobDetail,
  type DeadLetterList,
  type DeadLetterListQuery,
  type DeadMessageDetail,
  type RedrivenMessage,
  UNREADABLE,
} from "@longhaul/contracts";
import { isDeadLetter, isLive, isRedrivable } from "@longhaul/job";
import type { DeadLetterViews } from "@longhaul/store";
import { z } from "zod";
import {
  type Controlled,
  type ControlPolicy,
  type ControlPorts,
  controlDownload,
  type Erased,
  eraseDownload,
  type JobRequest,
} from "../downloads/control.ts";
import { ProblemError } from "../problem-error.ts";
import { pathJobId } from "../request-path.ts";
import { readCursor, sign } from "../signed-value.ts";
import { deadJob, deadJobDetail, deadMessage, deadMessageDetail } from "./dead-letter-view.ts";

/** What the dead letters need of the world. */
export type DeadLetterPorts = { control: ControlPorts; views: DeadLetterViews; messages: DeadLetters };

/** `cursorSecret` signs the cursors of the lists. */
export type DeadLetterPolicy = ControlPolicy & { maxAttempts: number; cursorSecret: string };

/** Who acts on which dead letter. */
export type OperatorsRequest = Omit<JobRequest, "admits">;

const jobPosition = z.object({ createdAt: z.iso.datetime(), id: z.string() });
const messagePosition = z.object({ seq: z.int().min(1) });

/**
 * One page of the dead letters: failed jobs the newest first, messages the oldest first. The groups come with the first.
 * @throws ProblemError `INVALID_CURSOR`; BusError, StoreError
 */
export async function listDeadLetters(
  { control, views, messages }: DeadLetterPorts,
  { maxAttempts, cursorSecret }: DeadLetterPolicy,
  { kind, code, cursor, limit }: DeadLetterListQuery,
): Promise<DeadLetterList> {
  const list = `dead-letters ${kind} ${code ?? ""}`;
  const from = <T extends z.ZodType>(shape: T) =>
    cursor === undefined ? null : readCursor(cursorSecret, list, cursor, shape);
  const next = (position: object | null) => position && sign(cursorSecret, list, position);
  const asOf = new Date(control.now()).toISOString();
  if (kind === "job") {
    const query = { maxAttempts, code: code ?? null };
    const after = from(jobPosition);
    const found = await views.page(query, after && { ...after, createdAt: new Date(after.createdAt) }, limit + 1);
    const groups = after === null ? await views.groups(query) : null;
    const last = found.length > limit ? found[limit - 1] : undefined;
    const nextCursor = next(last === undefined ? null : { createdAt: last.createdAt.toISOString(), id: last._id });
    return { items: found.slice(0, limit).map((view) => deadJob(view.record)), groups, nextCursor, asOf };
  }
  if (code !== undefined && code !== UNREADABLE) return { items: [], groups: [], nextCursor: null, asOf };
  const after = from(messagePosition);
  const found = await messages.page(after?.seq ?? 1, limit + 1);
  const groups = after === null ? [{ code: UNREADABLE, stage: null, count: await messages.count() }] : null;
  const first = found[limit];
  const nextCursor = next(first === undefined ? null : { seq: first.seq });
  return { items: found.slice(0, limit).map(deadMessage), groups, nextCursor, asOf };
}

/** One dead letter with all that is known of it. @throws ProblemError `NOT_FOUND`; BusError, StoreError */
export async function showDeadLetter(
  { control, messages }: DeadLetterPorts,
  { maxAttempts }: DeadLetterPolicy,
  idText: string,
): Promise<DeadJobDetail | DeadMessageDetail> {
  const id = checked(idText);
  const letter = await messages.get(id);
  if (letter !== null) return deadMessageDetail(letter);
  const stored = await control.newest(id);
  const known = stored ?? (await control.view(id));
  if (known === null || "erased" in known || !isLive(known.record) || !isDeadLetter(known.record, maxAttempts)) {
    throw notFound();
  }
  return deadJobDetail(known.record, known.seq);
}

/**
 * Discards a dead letter: the job is deleted, the message thrown away. null = it was a message.
 * @throws as `eraseDownload`; `NOT_FOUND` also for a job that is no dead letter any more
 */
export async function discardDeadLetter(
  { control, messages }: DeadLetterPorts,
  policy: DeadLetterPolicy,
  request: OperatorsRequest,
): Promise<Erased | null> {
  const id = checked(request.id);
  const letter = await messages.get(id);
  if (letter === null) {
    const admits: JobRequest["admits"] = (record) => isDeadLetter(record, policy.maxAttempts);
    return await eraseDownload(control, policy, { ...request, id, admits });
  }
  await messages.remove(letter);
  return null;
}

/**
 * Gives a dead letter another chance: the job is retried, the message put where it was found once more.
 * A job that is queued or running after such a retry, or a resume, is given as it is.
 * @throws as `controlDownload`; `NOT_FOUND` also for a job that is neither
 */
export async function redriveDeadLetter(
  { control, messages }: DeadLetterPorts,
  policy: DeadLetterPolicy,
  request: OperatorsRequest,
): Promise<{ job: Controlled } | { message: RedrivenMessage }> {
  const id = checked(request.id);
  const letter = await messages.get(id);
  if (letter !== null) return { message: await redriveMessage(messages, letter) };
  const admits = onceRedrivable(policy.maxAttempts);
  return { job: await controlDownload(control, policy, { ...request, id, command: "retry", admits }) };
}

/** What was to be redriven stays so for this request: whoever is first with the retry has done what is asked here. */
function onceRedrivable(maxAttempts: number): JobRequest["admits"] {
  let admitted = false;
  return (record) => {
    admitted ||= isRedrivable(record, maxAttempts);
    return admitted;
  };
}

async function redriveMessage(messages: DeadLetters, letter: DeadLetter): Promise<RedrivenMessage> {
  const { id, subject } = letter;
  // A work item is a hint and may be put at any time; any other stream has its own only writer.
  if (!subject.startsWith("download.requested.")) {
    throw new ProblemError("INVALID_STATE", "Only work items can be put once more; this message can be discarded.");
  }
  const outcome = await messages.publishAgain(letter);
  await messages.remove(letter);
  return { kind: "message", id, subject, outcome };
}

function checked(idText: string): string {
  const id = pathJobId(idText);
  if (id === null) throw notFound();
  return id;
}

const notFound = () => new ProblemError("NOT_FOUND", "There is no dead letter with this id.");
