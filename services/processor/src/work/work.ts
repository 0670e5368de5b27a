import type { JobRecord } from "@longhaul/contracts";
import type { Work } from "../job/run.ts";
import { isPlainFile } from "./owned-file.ts";

/** What a job does: hand out the source object itself, make a result of its own, only say what is there, or nothing. */
type Kind = "borrow" | "archive" | "listing" | "noOp";

function kindOf({ spec }: JobRecord): Kind {
  if (spec.sourceKind === "none") return "noOp";
  if (spec.archive === "none") return "listing";
  const isObject = spec.sourceKind === "s3" && isPlainFile({ spec });
  return isObject ? "borrow" : "archive";
}

/** Whether the job's result is an object of its own. */
export const ownsResult = (record: JobRecord): boolean => kindOf(record) === "archive";

/** The work of any job: of all kinds the one that its result needs. */
export function createWork(works: Readonly<Record<Kind, Work>>): Work {
  return (record, context) => works[kindOf(record)](record, context);
}
