import { z } from "zod";
import { JOB_ERROR_CODES, jobErrorCode, stage } from "../error-codes.ts";
import { jobError, timelineEntry, usage } from "../job-record.ts";
import { jobClass, jobSpec } from "../job-spec.ts";
import { count, isoTime, jobId } from "../schema.ts";

/** The code that messages nobody could read are listed with. */
export const UNREADABLE = "UNREADABLE";

/** `job`: a failed job whose tries are used up. `message`: one that nobody could read. */
export const deadLetterQuery = z.strictObject({
  kind: z.enum(["job", "message"]).default("job"),
  code: z.enum([...JOB_ERROR_CODES, UNREADABLE]).optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
export type DeadLetterListQuery = z.infer<typeof deadLetterQuery>;

export const deadJob = z.object({
  kind: z.literal("job"),
  id: jobId,
  code: jobErrorCode,
  stage,
  message: z.string(),
  tenantId: z.string(),
  userId: z.string(),
  priority: jobClass,
  generation: z.int().min(1),
  attempts: count,
  crashes: count,
  createdAt: isoTime,
  failedAt: isoTime,
  traceId: z.string(),
});
export type DeadJob = z.infer<typeof deadJob>;

const deadMessage = z.object({
  kind: z.literal("message"),
  id: z.string(),
  code: z.literal(UNREADABLE),
  stage: z.null(),
  message: z.string(),
  subject: z.string().describe("Where it was found"),
  sizeBytes: count,
  failedAt: isoTime,
});
export type DeadMessage = z.infer<typeof deadMessage>;

export const deadLetterList = z.object({
  items: z.array(z.union([deadJob, deadMessage])),
  groups: z
    .array(z.object({ code: z.string(), stage: z.string().nullable(), count }))
    .describe("Among the newest 10,000; null on later pages")
    .nullable(),
  nextCursor: z.string().nullable(),
  asOf: isoTime,
});
export type DeadLetterList = z.infer<typeof deadLetterList>;

const deadJobDetail = deadJob.extend({
  tier: z.string(),
  clientIp: z.string().nullable(),
  userAgent: z.string().nullable(),
  createdVia: z.string(),
  request: jobSpec,
  cause: jobError.nullable(),
  timeline: z.array(timelineEntry),
  usage,
  version: z.string(),
});
export type DeadJobDetail = z.infer<typeof deadJobDetail>;

const deadMessageDetail = deadMessage.extend({ dataBase64: z.string() });
export type DeadMessageDetail = z.infer<typeof deadMessageDetail>;

export const deadLetterDetail = z.union([deadJobDetail, deadMessageDetail]);

/** What became of a message that was put where it was found once more. */
export const redrivenMessage = z.object({
  kind: z.literal("message"),
  id: z.string(),
  subject: z.string(),
  outcome: z.enum(["sent", "present"]),
});
export type RedrivenMessage = z.infer<typeof redrivenMessage>;

/** Body of operators' writes. */
export const operatorsReason = z
  .strictObject({ reason: z.string().min(1).max(500).optional().describe("Why, for the audit records") })
  .nullish();
