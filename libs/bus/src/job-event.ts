import { type EventType, jobEvent, RECORD_MAX_BYTES, type StoredRecord } from "@longhaul/contracts";
import { BusError } from "./errors.ts";
import type { StoredMessage } from "./stored.ts";

/**
 * The CloudEvent (structured JSON) of one write. Its time is the record's own.
 * @throws BusError `TOO_LARGE` when the whole of it has more than `RECORD_MAX_BYTES`
 */
export function encodeJobEvent(event: {
  type: EventType;
  record: StoredRecord;
  source: string;
  traceparent: string;
}): Uint8Array {
  const { type, record, source, traceparent } = event;
  const bytes = Buffer.from(
    JSON.stringify({
      specversion: "1.0",
      id: record.writeId,
      type,
      source,
      subject: record.id,
      time: record.updatedAt,
      datacontenttype: "application/json",
      traceparent,
      data: record,
    }),
  );
  if (bytes.length > RECORD_MAX_BYTES) {
    const text = `${type} of job ${record.id} has ${bytes.length} bytes, more than the ${RECORD_MAX_BYTES} of a record`;
    throw new BusError("TOO_LARGE", `${text}; nothing was sent.`);
  }
  return bytes;
}

const text = new TextDecoder();

/** Reads a message of `JOBS`; null when it is not what the contract says. */
export function decodeJobEvent(bytes: Uint8Array, seq: number): StoredMessage | null {
  const event = jobEvent.safeParse(parseJson(bytes));
  if (!event.success || !Number.isSafeInteger(seq) || seq < 1) return null;
  const { type, traceparent, data } = event.data;
  return { seq, record: data, traceparent, type, bytes };
}

/** undefined when the bytes are no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text.decode(bytes));
  } catch {
    return undefined;
  }
}
