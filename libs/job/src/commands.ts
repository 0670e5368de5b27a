import type { JobRecord, JobStatus, Lane, ShownStatus } from "@longhaul/contracts";
import { type Change, type Occasion, told } from "./change.ts";
import { endOf } from "./end.ts";
import { erased } from "./erase.ts";
import { expired, isDue } from "./expire.ts";
import { atRest, noProgress } from "./progress.ts";
import { shownStatus } from "./shown-status.ts";
import { plusSeconds } from "./time.ts";
import { NO_USAGE } from "./usage.ts";

/** What a user can ask of a job, beside deleting it. */
export type ControlCommand = "cancel" | "pause" | "resume" | "retry";
/** All commands: the user's, `erase` (delete), and `expire`, which only the expiry loop gives. */
export type CommandType = ControlCommand | "expire" | "erase";

/**
 * `actor`: who asks, for the timeline. `lane`: of the generation that resume and retry begin; left out: as before.
 */
export type Command = { type: CommandType; actor: string; traceId?: string | undefined; lane?: Lane | undefined };

/** What a command needs to know beside the record. `archived`: the record comes from the view, `JOBS` has let it go. */
export type CommandRules = { deadlineSeconds: number; userHash: string; archived: boolean };

/** `change`: write this. `same`: the job is already as asked. `refused`: not possible in this state. */
export type Decision =
  | { kind: "change"; change: Change }
  | { kind: "same" }
  | {
      kind: "refused";
      code: "INVALID_STATE" | "RETRY_WINDOW_CLOSED";
      currentStatus: ShownStatus;
      allowed: ControlCommand[];
    };

type Effect = "change" | "same" | "INVALID_STATE" | "RETRY_WINDOW_CLOSED";

/** The control table of the canonical API, row by row. */
const CONTROL: Record<ControlCommand, Record<JobStatus, Effect>> = {
  cancel: {
    queued: "change",
    running: "change",
    paused: "change",
    completed: "INVALID_STATE",
    failed: "INVALID_STATE",
    cancelled: "same",
    expired: "INVALID_STATE",
  },
  pause: {
    queued: "change",
    running: "change",
    paused: "same",
    completed: "INVALID_STATE",
    failed: "INVALID_STATE",
    cancelled: "INVALID_STATE",
    expired: "INVALID_STATE",
  },
  resume: {
    queued: "same",
    running: "same",
    paused: "change",
    completed: "INVALID_STATE",
    failed: "INVALID_STATE",
    cancelled: "INVALID_STATE",
    expired: "INVALID_STATE",
  },
  retry: {
    queued: "same",
    running: "same",
    paused: "INVALID_STATE",
    completed: "INVALID_STATE",
    failed: "change",
    cancelled: "change",
    expired: "RETRY_WINDOW_CLOSED",
  },
};

const CONTROL_COMMANDS = Object.keys(CONTROL) as ControlCommand[];

/** The user's commands that would change the job as it stands. */
export function allowedCommands(record: JobRecord): ControlCommand[] {
  return CONTROL_COMMANDS.filter((command) => CONTROL[command][record.status] === "change");
}

/**
 * What a command does to a job. Whoever calls it writes the change with the sequence of the record that it passed, and
 * asks again with the newer record when that write is refused.
 *
 * An archived record must be one that has ended: an unfinished copy in a view is no base for any command.
 */
export function decide(record: JobRecord, command: Command, now: Date, rules: CommandRules): Decision {
  const occasion = { now, traceId: command.traceId };
  switch (command.type) {
    case "erase":
      return change(erased(record, now, rules.userHash));
    case "expire":
      if (record.status === "failed" || record.status === "cancelled")
        return refused(record, "INVALID_STATE", rules.archived);
      return isDue(record, now) ? change(expired(record, command.actor, occasion)) : { kind: "same" };
    default: {
      const closed = command.type === "retry" && rules.archived;
      const effect = closed ? "RETRY_WINDOW_CLOSED" : CONTROL[command.type][record.status];
      if (effect === "same") return { kind: "same" };
      if (effect !== "change") return refused(record, effect, rules.archived);
      return change(control(record, { ...command, type: command.type }, occasion, rules));
    }
  }
}

const change = (made: Change): Decision => ({ kind: "change", change: made });

function refused(record: JobRecord, code: "INVALID_STATE" | "RETRY_WINDOW_CLOSED", archived: boolean): Decision {
  const allowed = allowedCommands(record).filter((command) => !(archived && command === "retry"));
  return { kind: "refused", code, currentStatus: shownStatus(record.status), allowed };
}

function control(
  record: JobRecord,
  { type, actor, lane }: Command & { type: ControlCommand },
  occasion: Occasion,
  rules: CommandRules,
): Change {
  switch (type) {
    case "cancel":
      return told("download.cancelled.v1", endOf(record, "cancelled", occasion.now), "cancelled", occasion, { actor });
    case "pause":
      return told("download.paused.v1", paused(record), "paused", occasion, { actor });
    case "resume":
      return told("download.requested.v1", resumed(inLane(record, lane)), "resumed", occasion, { actor });
    case "retry":
      return told("download.requested.v1", retried(inLane(record, lane), occasion.now, rules), "retried", occasion, {
        actor,
      });
  }
}

/** A generation keeps its lane to its end: two items of one generation on different subjects would race for the job. */
const inLane = (record: JobRecord, lane: Lane | undefined): JobRecord =>
  lane === undefined ? record : { ...record, spec: { ...record.spec, lane } };

/** Paused keeps all work done so far, and names its upload until somebody resumes it. */
function paused(record: JobRecord): JobRecord {
  return { ...record, status: "paused", run: null, retryAt: null, progress: atRest(record.progress, "waiting") };
}

/** Resume goes on where the job was paused: only the crashes and the waiting are forgotten. */
function resumed(record: JobRecord): JobRecord {
  return { ...record, status: "queued", generation: record.generation + 1, run: null, crashes: 0, retryAt: null };
}

/** Retry begins anew: of the work it keeps the plan, and `named`, because keys of the earlier generation may still be there. */
function retried(record: JobRecord, now: Date, rules: CommandRules): JobRecord {
  return {
    ...record,
    status: "queued",
    generation: record.generation + 1,
    failures: 0,
    crashes: 0,
    run: null,
    retryAt: null,
    error: null,
    startedAt: null,
    completedAt: null,
    deadlineAt: plusSeconds(now, rules.deadlineSeconds),
    checkpoint: null,
    outcomes: null,
    progress: noProgress(record.spec.filesTotal, record.plan?.bytesTotal ?? null),
    result: null,
    usage: NO_USAGE,
  };
}
