import type { EventType, StoredRecord } from "@longhaul/contracts";

/** The newest message of a job: its record, the stream sequence that the next write has to name, and its trace. */
export type Stored = { seq: number; record: StoredRecord; traceparent: string };

/** A stored write as it travels: with the event that it was, and the CloudEvent's bytes as they were stored. */
export type StoredMessage = Stored & { type: EventType; bytes: Uint8Array };
