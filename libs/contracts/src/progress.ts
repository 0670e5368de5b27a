import { z } from "zod";
import { count, open } from "./schema.ts";

const PHASES = [
  "waiting",
  "planning",
  "reading",
  "writing",
  "sealing",
  "retry_wait",
  "waiting_for_storage",
  "waiting_for_source",
  "done",
] as const;
export const phase = z.enum(PHASES);
export type Phase = z.infer<typeof phase>;

/** How far a job is. Cumulative: each value replaces the one before. */
export const progress = open({
  filesTotal: count,
  filesDone: count,
  filesFailed: count,
  bytesTotal: count.nullable(),
  bytesDone: count,
  bytesPerSecond: count.nullable(),
  etaSeconds: count.nullable(),
  currentFileId: z.int().nullable(),
  phase,
});
export type Progress = z.infer<typeof progress>;

/** On `download.progress.<id>`, and to the watching gateways: the n-th progress since the write with sequence `seq`. */
export const progressMessage = open({ userHash: z.string(), seq: z.int().min(1), n: z.int().min(1), progress });
export type ProgressMessage = z.infer<typeof progressMessage>;
