import { z } from "zod";
import { isoTime } from "../schema.ts";
import { apiJob, apiProgress } from "./job.ts";

/** Sub-protocol of the canonical socket. */
export const WS_PROTOCOL = "longhaul.v1";

/** Close codes of the canonical socket, beside RFC 6455's own. */
export const WS_CLOSE = { ended: 1000, policy: 1008, restart: 1012, slow: 1013, notFound: 4404 } as const;

export const serverFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("job"), version: z.string(), final: z.boolean(), job: apiJob }),
  z.object({ type: z.literal("progress"), version: z.string(), progress: apiProgress }),
  z.object({ type: z.literal("keepalive"), version: z.string(), at: isoTime }),
  z.object({ type: z.literal("pong"), id: z.string().nullable(), at: isoTime }),
  z.object({
    type: z.literal("bye"),
    code: z.int(),
    reason: z.string(),
    message: z.string(),
    reconnect: z.boolean(),
    afterMs: z.int().nullable(),
  }),
]);
export type ServerFrame = z.infer<typeof serverFrame>;

export const clientFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ping"), id: z.string().max(64).optional() }),
]);
export type ClientFrame = z.infer<typeof clientFrame>;
