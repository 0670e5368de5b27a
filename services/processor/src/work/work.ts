import type { JobRecord } from "@longhaul/contracts";
import type { Work } from "../job/run.ts";

/** Whether the job's result is an object of its own; else it is the source object, borrowed. */
export function ownsResult({ spec }: JobRecord): boolean {
  return spec.archive === "zip" || spec.filesTotal > 1;
}

/** The work of any job: of the two kinds the one that its result needs. */
export function createWork({ borrow, archive }: { borrow: Work; archive: Work }): Work {
  return (record, context) => (ownsResult(record) ? archive : borrow)(record, context);
}
