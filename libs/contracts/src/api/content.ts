import { z } from "zod";
import { count, crc32, isoTime } from "../schema.ts";

/** The JSON form of `GET …/{id}/content`. */
export const contentLink = z.object({
  url: z.url(),
  expiresAt: isoTime,
  expiresInSeconds: count,
  filename: z.string(),
  sizeBytes: count,
  contentType: z.string(),
  checksumCrc32: crc32.nullable(),
});
export type ContentLink = z.infer<typeof contentLink>;
