import { z } from "zod";
import { count, fileId, open, payloadRef } from "./schema.ts";

/** Priority classes, in the order in which idle slots are lent (10:5:1). */
export const JOB_CLASSES = ["high", "normal", "batch"] as const;
export const jobClass = z.enum(JOB_CLASSES);
export type JobClass = z.infer<typeof jobClass>;

/** Lanes inside a class: a user's first jobs go to `fast`, a flood to `bulk`. */
export const LANES = ["fast", "bulk"] as const;
export const lane = z.enum(LANES);
export type Lane = z.infer<typeof lane>;

export const archiveMode = z.enum(["auto", "zip", "none"]);
export type ArchiveMode = z.infer<typeof archiveMode>;

const sourceKind = z.enum(["s3", "http", "synthetic", "none"]);
export type SourceKind = z.infer<typeof sourceKind>;

/** What was asked for. Exactly one of `fileIds` and `ref` is set; `ref` holds a list too long for a record. */
export const jobSpec = open({
  fileIds: z.array(fileId).nullable(),
  ref: payloadRef.nullable(),
  /** Distinct files, 1..100,000. */
  filesTotal: z.int().min(1),
  class: jobClass,
  lane,
  archive: archiveMode,
  /** The file name that the user wants for the result; null = derived from the job. */
  name: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  callbackUrl: z.string().nullable(),
  /** How long the result is kept after completion, seconds. */
  expiresInSeconds: z.int().min(300),
  /** Largest file allowed to this user, bytes; null = no limit of its own. */
  maxFileBytes: count.nullable(),
  sourceKind,
});
export type JobSpec = z.infer<typeof jobSpec>;
