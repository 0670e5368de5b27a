import { z } from "zod";
import { archiveMode, type JobClass, jobClass } from "../job-spec.ts";
import { fileId } from "../schema.ts";

/** Bounds that configuration may move. */
export type CreateLimits = { maxFiles: number; resultTtlSeconds: number; resultTtlMaxSeconds: number };

const METADATA_MAX_KEYS = 20;
const METADATA_MAX_BYTES = 8 * 1024;

function classOf(priority: number): JobClass {
  if (priority >= 8) return "high";
  return priority >= 4 ? "normal" : "batch";
}

const priority = z.union([jobClass, z.int().min(1).max(10).transform(classOf)]);

const metadata = z
  .record(z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/), z.string().max(500))
  .refine((m) => Object.keys(m).length <= METADATA_MAX_KEYS, `at most ${METADATA_MAX_KEYS} keys`)
  .refine(
    // As a record holds it: a control character takes six bytes there.
    (m) => new TextEncoder().encode(JSON.stringify(m)).length <= METADATA_MAX_BYTES,
    `as JSON in UTF-8 at most ${METADATA_MAX_BYTES} bytes`,
  );

/** Body of `POST /v1/downloads`. Unknown fields are refused. Duplicate ids collapse to the first, order kept. */
export function createDownloadBody(limits: CreateLimits) {
  return z.strictObject({
    fileIds: z
      .array(fileId)
      .min(1)
      .max(limits.maxFiles)
      .transform((ids) => [...new Set(ids)]),
    priority: priority.default("normal"),
    expiresIn: z.int().min(300).max(limits.resultTtlMaxSeconds).default(limits.resultTtlSeconds),
    archive: archiveMode.default("auto"),
    name: z.string().min(1).max(200).nullable().default(null),
    metadata: metadata.default({}),
  });
}
export type CreateDownload = z.infer<ReturnType<typeof createDownloadBody>>;
