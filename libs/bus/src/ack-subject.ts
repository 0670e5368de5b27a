/** What JetStream tells in the reply subject of a delivery. */
export type AckSubject = {
  consumer: string;
  /** 1 on the first delivery. */
  deliveryCount: number;
  /** Sequence in the stream. */
  sequence: number;
  /** Messages that this consumer has not delivered yet. */
  pending: number;
};

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>`, or the longer form with
 * `<domain>.<account hash>` before the stream and a random token at the end (ADR-15 of NATS).
 * @returns null when the subject is neither
 */
export function parseAckSubject(subject: string): AckSubject | null {
  const tokens = subject.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || (tokens.length !== 9 && tokens.length < 11)) return null;
  const [, consumer = "", deliveryCount, sequence, , , pending] = tokens.slice(tokens.length === 9 ? 2 : 4);
  return { consumer, deliveryCount: Number(deliveryCount), sequence: Number(sequence), pending: Number(pending) };
}
