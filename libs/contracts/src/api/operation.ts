import { z } from "zod";
import { jobErrorCode } from "../error-codes.ts";
import { count, isoTime } from "../schema.ts";
import { deadJob } from "./dead-letter.ts";

/** Which dead letters: all failed jobs (`kind: "job"`), or those with one error. */
const operationFilter = z
  .strictObject({ kind: z.literal("job").optional(), code: jobErrorCode.optional() })
  .refine((filter) => Object.keys(filter).length > 0, 'must name something; {"kind": "job"} for all');

/** Body of `POST /v1/admin/operations`. */
export const operationBody = z.strictObject({
  action: z.literal("redrive"),
  filter: operationFilter,
  ratePerSecond: z.int().min(1).max(200).default(10),
  dryRun: z.boolean().default(true),
  confirmToken: z.string().max(500).optional().describe("Of a dry run with the same filter, not older than 10 minutes"),
  reason: z.string().min(1).max(500).optional(),
});
export type OperationBody = z.infer<typeof operationBody>;

export const operationDryRun = z.object({
  matched: count.describe("Counted to 10,000"),
  byCode: z.record(z.string(), count),
  sample: z.array(deadJob).max(20),
  confirmToken: z.string(),
});
export type OperationDryRun = z.infer<typeof operationDryRun>;

export const operationAccepted = z.object({ operationId: z.string(), links: z.object({ self: z.string() }) });

export const operationState = z.object({
  operationId: z.string(),
  action: z.literal("redrive"),
  filter: z.object({ kind: z.literal("job"), code: z.string().nullable() }),
  ratePerSecond: z.int().min(1),
  status: z.enum(["running", "stopped", "completed"]),
  matched: count,
  done: count,
  skipped: count.describe("No dead letters any more when their turn came"),
  failed: count,
  actor: z.string(),
  reason: z.string().nullable(),
  createdAt: isoTime,
  endedAt: isoTime.nullable(),
});
export type OperationState = z.infer<typeof operationState>;
