import { z } from "zod";
import { storedRecord } from "./job-record.ts";
import { isoTime, jobId, open } from "./schema.ts";

/** What happened to a job, in the past tense. */
const EVENT_TYPES = [
  "download.requested.v1",
  "download.started.v1",
  "download.checkpoint.v1",
  "download.retrying.v1",
  "download.handedback.v1",
  "download.paused.v1",
  "download.cancelled.v1",
  "download.completed.v1",
  "download.failed.v1",
  "download.expired.v1",
  "download.erased.v1",
] as const;
export const eventType = z.enum(EVENT_TYPES);
export type EventType = z.infer<typeof eventType>;

/** One message of `JOBS`: a CloudEvent (1.0, structured JSON) whose data is the whole record after the event. */
export const jobEvent = open({
  specversion: z.literal("1.0"),
  /** The write's id, equal to `data.writeId`. */
  id: z.string(),
  type: eventType,
  source: z.string(),
  subject: jobId,
  time: isoTime,
  datacontenttype: z.literal("application/json"),
  /** CloudEvents distributed-tracing extension: the W3C Trace Context of the writer. */
  traceparent: z.string(),
  data: storedRecord,
});
export type JobEvent = z.infer<typeof jobEvent>;
