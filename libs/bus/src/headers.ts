import type { MsgHdrs } from "@nats-io/transport-node";

/** Header names of ours and of JetStream. */
export const HEADERS = {
  traceparent: "traceparent",
  sequence: "Nats-Sequence",
  expectedLastSubjectSequence: "Nats-Expected-Last-Subject-Sequence",
  ttl: "Nats-TTL",
  reason: "Reason",
  subject: "Subject",
} as const;

const BREAKS_A_LINE = /[\r\n]/;

/**
 * Headers of a message, encoded at once: a tenth of the time of the client's own header object, which is built to be
 * read and changed. Only for publishing. Empty values are left out, and so are values that would break the line.
 */
export function encodeHeaders(fields: Readonly<Record<string, string | number | null | undefined>>): MsgHdrs {
  let text = "NATS/1.0\r\n";
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === null || value === "" || BREAKS_A_LINE.test(String(value))) continue;
    text += `${name}: ${value}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`);
  // The client's publish asks its headers for nothing but their bytes.
  return { encode: () => bytes } as unknown as MsgHdrs;
}

/** One header of a received message; null when it is not there. */
export function readHeader(headers: MsgHdrs | undefined, name: string): string | null {
  return headers?.get(name) || null;
}
