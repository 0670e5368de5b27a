import type { StoredMessage } from "@longhaul/bus";

/** Of several writes of one job the last: the others would be replaced in the next moment. */
export function newestPerJob(messages: readonly StoredMessage[]): StoredMessage[] {
  const newest = new Map<string, StoredMessage>();
  for (const message of messages) {
    const other = newest.get(message.record.id);
    if (!other || message.seq > other.seq) newest.set(message.record.id, message);
  }
  return [...newest.values()];
}
