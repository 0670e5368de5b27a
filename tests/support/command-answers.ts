import type { Write } from "./job-histories.ts";

/** The published control table, declared here so that a change of the contract breaks these tests. */
const SHOWN = ["queued", "processing", "paused", "completed", "failed", "cancelled", "expired"] as const;
type Shown = (typeof SHOWN)[number];
type Effect = "change" | "same" | "INVALID_STATE" | "RETRY_WINDOW_CLOSED";
const NO = "INVALID_STATE";
const TABLE: Record<Command, Record<Shown, Effect>> = {
  cancel: row("change", "change", "change", NO, NO, "same", NO),
  pause: row("change", "change", "same", NO, NO, NO, NO),
  resume: row("same", "same", "change", NO, NO, NO, NO),
  retry: row("same", "same", NO, NO, "change", "change", "RETRY_WINDOW_CLOSED"),
};
/** The states that a command that was answered with 200 leaves, or finds. */
const LEAVES: Record<Command, readonly string[]> = {
  cancel: ["cancelled"],
  pause: ["paused"],
  resume: ["queued", "processing"],
  retry: ["queued", "processing"],
};

export const COMMANDS = ["cancel", "pause", "resume", "retry"] as const;
export type Command = (typeof COMMANDS)[number];

/** What an answer said; `since`: the newest version that had been seen when the request was sent. */
export type CommandAnswer = {
  command: Command | "delete";
  since: number;
  status: number;
  body: {
    status?: string;
    generation?: number;
    version?: string;
    code?: string;
    currentStatus?: string;
    allowed?: string[];
  };
};

function row(...effects: Effect[]): Record<Shown, Effect> {
  return Object.fromEntries(SHOWN.map((status, i) => [status, effects[i]])) as Record<Shown, Effect>;
}

const shown = ({ status }: Write) => (status === "running" ? "processing" : status);

/** Whether an answer can be, measured by what was stored of its job and by the table; null = it can. */
export function impossible({ command, since, status, body }: CommandAnswer, history: readonly Write[]): string | null {
  const wasErased = history.some((write) => write.status === "erased");
  if (status === 204 && command === "delete") return wasErased ? null : "deleted, and nothing was written";
  if (status === 404) return wasErased ? null : "not found, and it was never deleted";
  if (command === "delete") return `it is answered with ${status}`;
  if (status === 200) return impossibleSuccess(command, body, statesSince(history, since));
  if (status === 409) return impossibleRefusal(command, body, statesSince(history, since));
  return `it is answered with ${status} ${body.code}`;
}

/** The state at the time of that version, and all later ones. */
function statesSince(history: readonly Write[], since: number): readonly Write[] {
  const first = history.findLastIndex(({ seq }) => seq <= since);
  return history.slice(Math.max(0, first));
}

function impossibleSuccess(command: Command, body: CommandAnswer["body"], states: readonly Write[]): string | null {
  const seq = Number(body.version?.split(".")[0]);
  const told = states.find((write) => write.seq === seq);
  if (!told) return `version ${body.version} was not there at that time`;
  if (shown(told) !== body.status || told.generation !== body.generation) {
    return `it says ${body.status}/${body.generation} of version ${seq}, which is ${told.status}/${told.generation}`;
  }
  const until = states.filter((write) => write.seq <= seq);
  return until.some((write) => LEAVES[command].includes(shown(write))) ? null : `nothing of it was stored by ${seq}`;
}

function impossibleRefusal(command: Command, body: CommandAnswer["body"], states: readonly Write[]): string | null {
  const current = SHOWN.find((one) => one === body.currentStatus);
  if (!current || !states.some((write) => shown(write) === current)) return `the job was not ${body.currentStatus}`;
  if (TABLE[command][current] !== body.code) return `it is refused with ${body.code} while ${current}`;
  const allowed = COMMANDS.filter((one) => TABLE[one][current] === "change");
  return allowed.join() === body.allowed?.join() ? null : `while ${current} it allows ${body.allowed}, not ${allowed}`;
}
