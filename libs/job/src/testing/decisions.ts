import type { JobStatus } from "@longhaul/contracts";
import { type CommandRules, type CommandType, type Decision, decide } from "../commands.ts";
import { at, recordIn } from "./builders.ts";

export const DAY = 24 * 60 * 60;
export const RULES: CommandRules = { deadlineSeconds: 7 * DAY, userHash: "u".repeat(22), archived: false };
export const NOW = at(100);

/** What is decided about a job that is in this state by the rules themselves. */
export const given = (status: JobStatus, type: CommandType, rules: Partial<CommandRules> = {}, now = NOW): Decision =>
  decide(recordIn(status), { type, actor: "ada" }, now, { ...RULES, ...rules });

/** The decision in one word: the status that is written, `same`, or the code of the refusal. */
export function inShort(decision: Decision): string {
  if (decision.kind === "change") return decision.change.record.status;
  return decision.kind === "same" ? "same" : decision.code;
}

export function changed(decision: Decision) {
  if (decision.kind !== "change") throw new Error(`expected a change, was ${inShort(decision)}`);
  return decision.change;
}
