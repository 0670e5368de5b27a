import { z } from "zod";

type Open<S extends z.ZodRawShape> = z.ZodObject<S, z.core.$strip>;

/**
 * An object on the wire. Fields that this version does not know pass through a parse unchanged, so that processes of
 * two versions can work side by side; they stay invisible to the type, so nobody builds on them by accident.
 */
export function open<S extends z.ZodRawShape>(shape: S): Open<S> {
  return z.looseObject(shape) as unknown as Open<S>;
}

/** ISO 8601, UTC, milliseconds, `Z`: what `Date.prototype.toISOString` prints. */
export const isoTime = z.iso.datetime({ precision: 3 });

/** A job id: a UUID of version-4 shape, lower case. */
export const jobId = z.uuidv4().toLowerCase();

/** A file id: an integer that names one source. */
export const fileId = z.int().min(10_000).max(100_000_000);

/** A count or a size in bytes. */
export const count = z.int().min(0);

/** CRC-32 (ISO 3309, as in ZIP and gzip) as eight lower-case hex digits. */
export const crc32 = z.string().regex(/^[0-9a-f]{8}$/);

/** Something too large for a record: it lies in object storage under a key that is never used twice. */
export const payloadRef = open({ key: z.string(), sha256: z.string(), sizeBytes: count });
export type PayloadRef = z.infer<typeof payloadRef>;
