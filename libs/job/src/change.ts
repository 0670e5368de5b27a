import {
  type EventType,
  type JobRecord,
  type StoredRecord,
  TIMELINE_MAX,
  type TimelineEntry,
} from "@longhaul/contracts";
import { isLive } from "./end.ts";

/**
 * One write of a job, before it has a write id: the event that it is, the whole record after it, and the line that it
 * adds to the timeline (null: it adds none, as checkpoints and erasures do).
 */
export type Change = { type: EventType; record: StoredRecord; entry: Omit<TimelineEntry, "writeId"> | null };

/** When a write happens, and the trace that it belongs to. */
export type Occasion = { now: Date; traceId?: string | undefined };

/** What a timeline line can tell beside its time and event; what is undefined is left out. */
type Details = { [K in "run" | "worker" | "actor" | "stage" | "code"]?: TimelineEntry[K] | undefined };

/** A change that is told in the timeline as `event`. */
export function told(
  type: EventType,
  record: JobRecord,
  event: string,
  occasion: Occasion,
  details: Details = {},
): Change {
  const at = occasion.now.toISOString();
  const known = Object.entries({ ...details, traceId: occasion.traceId }).filter(([, value]) => value !== undefined);
  return { type, record: { ...record, updatedAt: at }, entry: { at, event, ...Object.fromEntries(known) } };
}

/**
 * The record as it is stored: with the id of its write, and its line at the end of the timeline. A full timeline keeps
 * its first line (how the job began) and the newest of the rest.
 */
export function stamp(change: Change, writeId: string): StoredRecord {
  const { record, entry } = change;
  if (!isLive(record) || entry === null) return { ...record, writeId };
  const timeline = [...record.timeline, { ...entry, writeId }];
  const kept =
    timeline.length > TIMELINE_MAX ? [...timeline.slice(0, 1), ...timeline.slice(1 - TIMELINE_MAX)] : timeline;
  return { ...record, writeId, timeline: kept };
}

/**
 * Whether the write with this id is in the record's past. It tells a writer whose answer was lost that its write was
 * stored, even when others have written since. False is no proof for a checkpoint, nor for a write more than 31 lines back.
 */
export function wroteIt(record: StoredRecord, writeId: string): boolean {
  if (record.writeId === writeId) return true;
  return isLive(record) && record.timeline.some((entry) => entry.writeId === writeId);
}
