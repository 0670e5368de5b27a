import { z } from "zod";
import { jobRecord } from "./job-record.ts";
import { jobId, open } from "./schema.ts";

/**
 * A hint that a generation of a job has work. The record decides what is done; `known` saves the first delivery a read:
 * the record as it was written, with its sequence. A sweep's item carries none.
 */
export const workItem = open({
  id: jobId,
  generation: z.int().min(1),
  known: open({ seq: z.int().min(1), record: jobRecord }).nullable(),
});
export type WorkItem = z.infer<typeof workItem>;
